//! The server against the stock client of quinn, over real sockets on loopback.

mod loopback;
