//! The connection, once it stands.

use std::time::{Duration, Instant};

use bytes::Bytes;
use quinn::VarInt;
use tokio::time::timeout;

use super::super::{BindFailed, DatagramError, Farewell, GroupError, LostReason};
use super::*;
use crate::wire::CloseReason;

#[tokio::test]
async fn datagrams_and_groups_go_both_ways() {
    let server = Stock::new();
    let (link, connection) = server.met().await;
    link.send_datagram(Bytes::from_static(b"up")).unwrap();
    assert_eq!(
        timeout(SOON, connection.read_datagram())
            .await
            .unwrap()
            .unwrap(),
        "up"
    );
    connection
        .send_datagram(Bytes::from_static(b"down"))
        .unwrap();
    assert_eq!(
        timeout(SOON, link.recv_datagram()).await.unwrap().unwrap(),
        "down"
    );
    let huge = link.send_datagram(vec![0; 70_000].into());
    assert_eq!(huge, Err(DatagramError::TooLarge));

    let mut group = link.open_group(5).await.unwrap();
    group.set_priority(i32::MAX);
    group.write(Bytes::from_static(b"key frame")).await.unwrap();
    group.finish();
    let mut received = connection.accept_uni().await.unwrap();
    assert_eq!(read_all(&mut received).await, b"key frame");

    let mut sending = connection.open_uni().await.unwrap();
    sending.write_all(&[9; 200_000]).await.unwrap();
    sending.finish().unwrap();
    let mut group = link.accept_group().await.unwrap();
    let mut length = 0;
    while let Some(bytes) = timeout(SOON, group.read()).await.unwrap().unwrap() {
        assert!(bytes.iter().all(|byte| *byte == 9));
        length += bytes.len();
    }
    assert_eq!(length, 200_000);
}

#[tokio::test]
async fn a_group_that_is_given_up_never_looks_whole() {
    let server = Stock::new();
    let (link, connection) = server.met().await;
    for explicitly in [true, false] {
        let mut group = link.open_group(0).await.unwrap();
        group.write(Bytes::from_static(b"half")).await.unwrap();
        let mut received = connection.accept_uni().await.unwrap();
        if explicitly {
            group.reset()
        } else {
            drop(group)
        }
        let read = timeout(SOON, received.read_to_end(100)).await.unwrap();
        assert!(matches!(
            read,
            Err(quinn::ReadToEndError::Read(quinn::ReadError::Reset(_)))
        ));
    }
    // The other way round.
    let mut sending = connection.open_uni().await.unwrap();
    sending.write_all(b"half").await.unwrap();
    let mut group = link.accept_group().await.unwrap();
    assert_eq!(group.read().await.unwrap().unwrap(), "half");
    sending.reset(VarInt::from_u32(7)).unwrap();
    assert_eq!(
        timeout(SOON, group.read()).await.unwrap(),
        Err(GroupError::GivenUp)
    );
    // A group that the relay does not want is not written on.
    let mut group = link.open_group(0).await.unwrap();
    group.write(Bytes::from_static(b"x")).await.unwrap();
    let mut received = connection.accept_uni().await.unwrap();
    received.stop(VarInt::from_u32(0)).unwrap();
    let refused = timeout(SOON, async {
        loop {
            if let Err(error) = group.write(Bytes::from_static(b"x")).await {
                return error;
            }
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(refused.await.unwrap(), GroupError::GivenUp);
}

#[tokio::test]
async fn the_connection_outlives_a_change_of_port_and_of_address() {
    let server = Stock::new();
    let (link, connection) = server.met().await;
    for bind in [None, Some("127.0.0.9:0".parse().unwrap())] {
        let before = connection.remote_address();
        link.rebind(bind).unwrap();
        link.send_datagram(Bytes::from_static(b"from elsewhere"))
            .unwrap();
        let received = timeout(SOON, connection.read_datagram()).await.unwrap();
        assert_eq!(received.unwrap(), "from elsewhere");
        connection
            .send_datagram(Bytes::from_static(b"back"))
            .unwrap();
        assert_eq!(
            timeout(SOON, link.recv_datagram()).await.unwrap().unwrap(),
            "back"
        );
        assert_ne!(connection.remote_address(), before);
        assert_eq!(connection.remote_address().port(), link.local_port());
    }
    // One that fails leaves the connection where it is.
    let other_family = Some("[::1]:0".parse().unwrap());
    assert_eq!(link.rebind(other_family), Err(BindFailed::OtherFamily));
    let elsewhere = Some("192.0.2.1:0".parse().unwrap());
    assert_eq!(link.rebind(elsewhere), Err(BindFailed::NotHere));
    link.send_datagram(Bytes::from_static(b"still here"))
        .unwrap();
    assert!(
        timeout(SOON, connection.read_datagram())
            .await
            .unwrap()
            .is_ok()
    );
}

#[tokio::test]
async fn a_goodbye_waits_for_what_was_sent() {
    let server = Stock::new();
    let (link, connection) = server.met().await;
    let reading = tokio::spawn(async move {
        let (_reply, mut control) = connection.accept_bi().await.unwrap();
        let (control, group) = tokio::join!(read_all(&mut control), async {
            read_all(&mut connection.accept_uni().await.unwrap()).await
        });
        let mut datagrams = 0;
        loop {
            match connection.read_datagram().await {
                Ok(_) => datagrams += 1,
                Err(error) => return (control, group, datagrams, LostReason::from(error)),
            }
        }
    });
    for _ in 0..20 {
        link.send_control(vec![1; 10_000].into()).await.unwrap();
        link.send_datagram(vec![2; 1000].into()).unwrap();
    }
    let mut group = link.open_group(0).await.unwrap();
    // More than the windows hold at first, so that it is under way when the goodbye begins.
    group.write(vec![3; 4 << 20].into()).await.unwrap();
    group.finish();
    assert_eq!(link.close(CloseReason::Done).await, Farewell::Delivered);
    let (control, group, datagrams, over) = timeout(SOON, reading).await.unwrap().unwrap();
    assert_eq!(control, vec![1; 200_000]);
    assert_eq!(group, vec![3; 4 << 20]);
    assert_eq!(datagrams, 20);
    assert_eq!(over, LostReason::Closed(CloseReason::Done));
    assert_eq!(link.closed().await, LostReason::Left);
    assert_eq!(link.send_control(Bytes::new()).await, Err(LostReason::Left));
}

#[tokio::test]
async fn a_goodbye_to_a_relay_that_takes_nothing_ends_all_the_same() {
    let server = Stock::new();
    let (link, connection) = server.met().await;
    // Fills the stream's window, which the server never empties.
    for _ in 0..40 {
        link.send_control(vec![1; 64_000].into()).await.unwrap();
    }
    let start = Instant::now();
    assert_eq!(
        link.close_within(CloseReason::Done, SHORT).await,
        Farewell::CutShort
    );
    assert!(start.elapsed() < SOON);
    let over = timeout(SOON, connection.closed()).await.unwrap();
    assert_eq!(
        LostReason::from(over),
        LostReason::Closed(CloseReason::Done)
    );
}

#[tokio::test]
async fn dropping_the_last_handle_ends_the_connection() {
    let server = Stock::new();
    let (link, connection) = server.met().await;
    for _ in 0..40 {
        link.send_control(vec![1; 64_000].into()).await.unwrap();
    }
    drop(link.clone());
    assert!(connection.close_reason().is_none());
    drop(link);
    let over = timeout(SOON, connection.closed()).await.unwrap();
    assert_eq!(
        LostReason::from(over),
        LostReason::Closed(CloseReason::Done)
    );
}

#[tokio::test]
async fn the_relays_reason_is_told_and_its_words_are_not() {
    for (code, expected) in [
        (
            CloseReason::Restarting.code(),
            LostReason::Closed(CloseReason::Restarting),
        ),
        (
            CloseReason::RoomFull.code(),
            LostReason::Closed(CloseReason::RoomFull),
        ),
        (4_000, LostReason::Closed(CloseReason::Internal)),
    ] {
        let server = Stock::new();
        let (link, connection) = server.met().await;
        connection.close(VarInt::from_u32(code), b"words of the peer's choice");
        let over = timeout(SOON, link.closed()).await.unwrap();
        assert_eq!(over, expected);
        assert!(!format!("{over} {over:?}").contains("words"));
        assert_eq!(link.recv_control().await, Err(expected));
        assert_eq!(link.recv_datagram().await.err(), Some(expected));
        assert_eq!(
            link.send_datagram(Bytes::new()),
            Err(DatagramError::Lost(expected))
        );
        assert_eq!(link.open_group(0).await.err(), Some(expected));
        let farewell = link.close(CloseReason::Done).await;
        assert_eq!(farewell, Farewell::Lost(expected));
    }
}

#[tokio::test]
async fn a_hostile_relay_breaks_the_control_stream_and_nothing_else() {
    let server = Stock::new();
    let (link, connection) = server.met().await;
    link.send_control(Bytes::from_static(b"hello"))
        .await
        .unwrap();
    let (mut reply, mut control) = connection.accept_bi().await.unwrap();
    reply.reset(VarInt::from_u32(1)).unwrap();
    control.stop(VarInt::from_u32(1)).unwrap();
    assert_eq!(
        timeout(SOON, link.recv_control()).await.unwrap(),
        Err(LostReason::Broken)
    );
    let stopped = timeout(SOON, async {
        loop {
            if let Err(error) = link.send_control(Bytes::from_static(b"x")).await {
                return error;
            }
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(stopped.await.unwrap(), LostReason::Broken);
    connection.send_datagram(Bytes::new()).unwrap();
    assert!(
        timeout(SOON, link.recv_datagram())
            .await
            .unwrap()
            .unwrap()
            .is_empty()
    );
    let start = Instant::now();
    assert_eq!(link.close(CloseReason::Done).await, Farewell::CutShort);
    // Nothing is left to wait for.
    assert!(start.elapsed() < Duration::from_secs(2));
}
