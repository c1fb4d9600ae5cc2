//! What the operating system refuses, in words of ours: nobody should have to know what an
//! "entity" is to find out that a file is in the way.

use std::io::ErrorKind;

/// Why the system refused, as a part of a sentence. The remedy is for the sentence around it.
pub fn words(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "there is nothing of this name",
        ErrorKind::PermissionDenied => "this user may not",
        ErrorKind::AlreadyExists => "something else of this name is there",
        ErrorKind::NotADirectory => "a part of the path is no folder",
        ErrorKind::IsADirectory => "it is a folder",
        ErrorKind::DirectoryNotEmpty => "the folder is not empty",
        ErrorKind::ReadOnlyFilesystem => "this disk can only be read",
        ErrorKind::StorageFull => "the disk is full",
        ErrorKind::QuotaExceeded => "this user's share of the disk is used up",
        ErrorKind::FileTooLarge => "files may not grow so large here",
        ErrorKind::WriteZero => "there is no room for more",
        ErrorKind::InvalidFilename => "the system takes no such name",
        ErrorKind::InvalidInput => "the system cannot use it so",
        ErrorKind::InvalidData => "it holds what cannot be there",
        ErrorKind::UnexpectedEof => "it ends too soon",
        ErrorKind::ResourceBusy | ErrorKind::ExecutableFileBusy => "something else is using it",
        ErrorKind::BrokenPipe => "whoever read it has gone",
        ErrorKind::AddrInUse => "another program has it",
        ErrorKind::AddrNotAvailable => "this machine has no such address",
        ErrorKind::NetworkDown => "the network is down",
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => "there is no way to it",
        ErrorKind::TimedOut => "it took too long",
        // No thread, no memory. (Too many open files has no kind of its own.)
        ErrorKind::WouldBlock | ErrorKind::OutOfMemory => "the system has too little left",
        ErrorKind::Unsupported => "this system cannot do it",
        ErrorKind::StaleNetworkFileHandle => "the disk of another machine is gone",
        _ => "the system does not say why",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_words_that_are_not_the_librarys() {
        for number in 1..134 {
            let kind = std::io::Error::from_raw_os_error(number).kind();
            assert_ne!(words(kind), kind.to_string());
            assert!(!words(kind).contains("entity"));
        }
        assert_eq!(words(ErrorKind::Other), "the system does not say why");
        let said = |number| words(std::io::Error::from_raw_os_error(number).kind());
        // EINVAL, of an address that nothing can be bound to, and ENOSPC.
        assert_eq!(said(22), "the system cannot use it so");
        assert_eq!(said(28), "the disk is full");
    }
}
