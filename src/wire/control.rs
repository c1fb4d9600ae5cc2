//! Control messages on their stream.
//!
//! A message is a two-byte size class, then exactly that many bytes: two bytes that say how many
//! are used, the message in postcard, zeros. Numbers are big-endian. All of that, and that the
//! first message begins with variant 0 and a version, stays as it is in every version.

use std::marker::PhantomData;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::limits::SIZE_CLASSES;
use super::{ControlMessage, WireError};

/// Bytes of the size class before, and of the used length inside.
const PREFIX: usize = 2;

/// Encodes one message, padded to its size class.
///
/// # Errors
/// [`WireError::TooLarge`] when something in it is over its limit.
pub fn encode_control<M: ControlMessage>(message: &M) -> Result<Bytes, WireError> {
    if !message.within_limits() {
        return Err(WireError::TooLarge);
    }
    let mut encoded = BytesMut::with_capacity(2 * PREFIX + SIZE_CLASSES[0]);
    encoded.put_bytes(0, 2 * PREFIX);
    let mut encoded = postcard::to_extend(message, encoded).map_err(|_| WireError::TooLarge)?;
    let used = encoded.len() - 2 * PREFIX;
    let class = SIZE_CLASSES
        .into_iter()
        .find(|class| used + PREFIX <= *class)
        .ok_or(WireError::TooLarge)?;
    encoded[..PREFIX].copy_from_slice(&(class as u16).to_be_bytes());
    encoded[PREFIX..2 * PREFIX].copy_from_slice(&(used as u16).to_be_bytes());
    encoded.resize(PREFIX + class, 0);
    Ok(encoded.freeze())
}

/// The version in a `Hello`, whatever the shape of the rest; `None` when it is no `Hello` of any
/// version.
///
/// `message` is what is used of the first control message; [`ControlReader::used`] gives it. A
/// relay looks at it before [`ControlReader::next`], and answers another version than its own with
/// `Closed(Version)`, and garbage with `Closed(Malformed)`:
///
/// ```
/// use sottovoce::wire::{ControlReader, ToRelay, VERSION, hello_version};
///
/// let mut reader = ControlReader::<ToRelay>::new();
/// let mut stream = vec![0; 2 + 64];
/// stream[..2].copy_from_slice(&64_u16.to_be_bytes());
/// stream[2..4].copy_from_slice(&5_u16.to_be_bytes());
/// stream[4..9].copy_from_slice(&[0, 9, b'a', b'b', b'c']); // version 9, and who knows what
/// reader.push(&stream)?;
/// let version = reader.used()?.and_then(hello_version);
/// assert_eq!(version, Some(9));
/// assert_ne!(version, Some(VERSION));
/// assert!(reader.next().is_err());
/// # Ok::<(), sottovoce::wire::WireError>(())
/// ```
pub fn hello_version(message: &[u8]) -> Option<u16> {
    let (variant, rest) = postcard::take_from_bytes::<u32>(message).ok()?;
    let (version, _) = postcard::take_from_bytes::<u16>(rest).ok()?;
    (variant == 0).then_some(version)
}

/// Takes a control stream apart as its bytes come. Holds at most one message of the largest class
/// and what was pushed last, and nothing between two messages.
pub struct ControlReader<M> {
    held: BytesMut,
    message: PhantomData<fn() -> M>,
}

impl<M> Default for ControlReader<M> {
    fn default() -> Self {
        Self {
            held: BytesMut::new(),
            message: PhantomData,
        }
    }
}

impl<M: ControlMessage> ControlReader<M> {
    /// At the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what came. Call [`Self::next`] until it has no more before the next `push`.
    ///
    /// # Errors
    /// [`WireError::TooLarge`] when messages were left unread, so that too much is held.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        let largest = SIZE_CLASSES[SIZE_CLASSES.len() - 1] + PREFIX;
        if self.held.len() > largest {
            return Err(WireError::TooLarge);
        }
        self.held.extend_from_slice(bytes);
        Ok(())
    }

    /// The next complete message.
    ///
    /// # Errors
    /// Whatever [`WireError`] says of it; the stream is of no use after that.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<M>, WireError> {
        let Some(used) = self.used()? else {
            return Ok(None);
        };
        let (message, rest) =
            postcard::take_from_bytes::<M>(used).map_err(|_| WireError::Malformed)?;
        if !rest.is_empty() {
            return Err(WireError::Padding);
        }
        if !message.within_limits() {
            return Err(WireError::TooLarge);
        }
        let whole = (self.class()?.unwrap_or(0) + PREFIX).min(self.held.len());
        self.held.advance(whole);
        if self.held.is_empty() {
            // An idle stream holds no memory.
            self.held = BytesMut::new();
        }
        Ok(Some(message))
    }

    /// The bytes in postcard of the next complete message, which stays in place.
    ///
    /// # Errors
    /// [`WireError`] when size class, length or padding are off.
    pub fn used(&self) -> Result<Option<&[u8]>, WireError> {
        let Some(class) = self.class()? else {
            return Ok(None);
        };
        let Some(body) = self.held.get(PREFIX..PREFIX + class) else {
            return Ok(None);
        };
        let (length, body) = body
            .split_first_chunk::<PREFIX>()
            .ok_or(WireError::SizeClass)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (used, padding) = body.split_at_checked(length).ok_or(WireError::Malformed)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(WireError::Padding);
        }
        Ok(Some(used))
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.held.capacity()
    }

    fn class(&self) -> Result<Option<usize>, WireError> {
        let Some(prefix) = self.held.first_chunk::<PREFIX>() else {
            return Ok(None);
        };
        let class = usize::from(u16::from_be_bytes(*prefix));
        match SIZE_CLASSES.last() {
            _ if SIZE_CLASSES.contains(&class) => Ok(Some(class)),
            Some(&largest) if class > largest => Err(WireError::TooLarge),
            _ => Err(WireError::SizeClass),
        }
    }
}
