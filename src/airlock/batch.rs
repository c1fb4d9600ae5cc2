//! The arrays behind one `recvmmsg` or `sendmmsg`: made once, wiped after each turn.
//!
//! Names and control data stand in the form of the kernel, also for the fake
//! network, so that tests go through the same encoding.

#[cfg(test)]
use std::net::SocketAddr;
use std::ptr;

use zeroize::Zeroize;

use super::address::{Name, RealAddress};
use super::control::{Control, Marks};
use super::limits::{COALESCED, RECEIVE_BATCH, SEND_BATCH, SINGLE, STAGGER};
use super::outbound::Queued;

/// Slots for messages to receive.
pub struct ReceiveBatch {
    /// All buffers in one piece, zeroed by the system: a page costs nothing until a
    /// packet reaches it.
    buffers: Vec<u8>,
    buffer: usize,
    stride: usize,
    names: Vec<Name>,
    controls: Vec<Control>,
    vectors: Vec<libc::iovec>,
    headers: Vec<libc::mmsghdr>,
}

// SAFETY: the pointers in the headers and vectors are set right before each system
// call, to memory that the batch itself owns, and are read by nobody else.
unsafe impl Send for ReceiveBatch {}

impl ReceiveBatch {
    /// `coalesces`: whether any socket may hand over several datagrams as one.
    pub(super) fn new(coalesces: bool) -> Self {
        let buffer = if coalesces { COALESCED } else { SINGLE };
        let stride = buffer + STAGGER;
        Self {
            buffers: vec![0; RECEIVE_BATCH * stride],
            buffer,
            stride,
            names: vec![Name::EMPTY; RECEIVE_BATCH],
            controls: vec![Control::EMPTY; RECEIVE_BATCH],
            vectors: vec![EMPTY_VECTOR; RECEIVE_BATCH],
            headers: vec![EMPTY_HEADER; RECEIVE_BATCH],
        }
    }

    /// All slots, for the kernel to fill.
    pub(super) fn slots(&mut self) -> &mut [libc::mmsghdr] {
        for (slot, header) in self.headers.iter_mut().enumerate() {
            let vector = &mut self.vectors[slot];
            let start = slot * self.stride;
            vector.iov_base = self.buffers[start..start + self.buffer].as_mut_ptr().cast();
            vector.iov_len = self.buffer;
            header.msg_hdr.msg_name = self.names[slot].0.as_mut_ptr().cast();
            header.msg_hdr.msg_namelen = Name::ROOM as _;
            header.msg_hdr.msg_iov = vector;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_control = self.controls[slot].0.as_mut_ptr().cast();
            header.msg_hdr.msg_controllen = self.controls[slot].0.len() as _;
            header.msg_hdr.msg_flags = 0;
        }
        &mut self.headers
    }

    /// Who sent the message in a filled slot; `None` if it was cut off or came from nowhere.
    pub(super) fn sender(&self, slot: usize, socket: u8) -> Option<RealAddress> {
        let header = &self.headers[slot].msg_hdr;
        if header.msg_flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0 {
            return None;
        }
        RealAddress::heard(&self.names[slot], header.msg_namelen as usize, socket)
    }

    /// Forgets who wrote, in all slots that were filled. What they wrote is still there.
    pub(super) fn wipe_names(&mut self, filled: usize) {
        self.names[..filled].zeroize();
    }

    /// What came in a filled slot.
    pub(super) fn message(&self, slot: usize) -> (Marks, &[u8]) {
        let header = &self.headers[slot];
        #[allow(clippy::unnecessary_cast, reason = "u32 in some C libraries")]
        let control = header.msg_hdr.msg_controllen as usize;
        let start = slot * self.stride;
        let length = (header.msg_len as usize).min(self.buffer);
        let bytes = &self.buffers[start..start + length];
        (self.controls[slot].read(control), bytes)
    }

    /// Forgets all else about them, and what they wrote: a packet that stays says that there was a
    /// meeting, and by its connection ids which one, to whoever recorded the network. It costs as much as
    /// to write so many bytes to the cache.
    pub(super) fn wipe(&mut self, filled: usize) {
        self.controls[..filled].zeroize();
        for (slot, header) in self.headers[..filled].iter().enumerate() {
            let start = slot * self.stride;
            // Of what was cut off the kernel may tell the full length.
            let length = (header.msg_len as usize).min(self.buffer);
            self.buffers[start..start + length].fill(0);
        }
    }

    /// Fills a slot as the kernel would. `false` if there is no such slot.
    #[cfg(test)]
    pub(super) fn place(
        &mut self,
        slot: usize,
        from: &SocketAddr,
        marks: Marks,
        bytes: &[u8],
    ) -> bool {
        let Some(header) = self.headers.get_mut(slot) else {
            return false;
        };
        let (name, length) = Name::encode(from);
        self.names[slot] = name;
        header.msg_hdr.msg_namelen = length as _;
        let family = super::address::Family::of(from.ip());
        header.msg_hdr.msg_controllen = self.controls[slot].write(family, marks) as _;
        let kept = bytes.len().min(self.buffer);
        header.msg_hdr.msg_flags = if kept < bytes.len() {
            libc::MSG_TRUNC
        } else {
            0
        };
        header.msg_len = kept as _;
        let start = slot * self.stride;
        self.buffers[start..start + kept].copy_from_slice(&bytes[..kept]);
        true
    }

    /// Slots in all.
    #[cfg(test)]
    pub(super) fn room(&self) -> usize {
        self.headers.len()
    }

    /// The memory that may hold addresses or packets.
    #[cfg(test)]
    pub(super) fn memory(&self) -> Vec<u8> {
        let names = self.names.iter().flat_map(|name| name.0);
        names
            .chain(self.controls.iter().flat_map(|control| control.0))
            .chain(self.buffers.iter().copied())
            .collect()
    }
}

/// Messages on their way out.
pub struct SendBatch {
    held: Vec<Queued>,
    /// How many of `held` have left, or were given up.
    done: usize,
    lengths: Vec<(usize, usize)>,
    names: Vec<Name>,
    controls: Vec<Control>,
    vectors: Vec<libc::iovec>,
    headers: Vec<libc::mmsghdr>,
}

// SAFETY: as for `ReceiveBatch`; the buffers pointed to are those in `held`.
unsafe impl Send for SendBatch {}

impl SendBatch {
    pub(super) fn new() -> Self {
        Self {
            held: Vec::with_capacity(SEND_BATCH),
            done: 0,
            lengths: Vec::with_capacity(SEND_BATCH),
            names: vec![Name::EMPTY; SEND_BATCH],
            controls: vec![Control::EMPTY; SEND_BATCH],
            vectors: vec![EMPTY_VECTOR; SEND_BATCH],
            headers: vec![EMPTY_HEADER; SEND_BATCH],
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.held.len() == SEND_BATCH
    }

    /// Adds a message to `to`; the batch is not full.
    pub(super) fn push(&mut self, to: &RealAddress, marks: Marks, message: Queued) {
        let slot = self.held.len();
        let name = to.write(&mut self.names[slot]);
        let control = self.controls[slot].write(to.family(), marks);
        self.lengths.push((name, control));
        self.held.push(message);
    }

    /// The messages that have not left, for the kernel to send.
    pub(super) fn unsent(&mut self) -> &mut [libc::mmsghdr] {
        let waiting = self.done..self.held.len();
        for slot in waiting.clone() {
            let (name, control) = self.lengths[slot];
            let bytes = &mut self.held[slot].bytes;
            let vector = &mut self.vectors[slot];
            vector.iov_base = bytes.as_mut_ptr().cast();
            vector.iov_len = bytes.len();
            let header = &mut self.headers[slot].msg_hdr;
            header.msg_name = self.names[slot].0.as_mut_ptr().cast();
            header.msg_namelen = name as _;
            header.msg_iov = vector;
            header.msg_iovlen = 1;
            header.msg_control = match control {
                0 => ptr::null_mut(),
                _ => self.controls[slot].0.as_mut_ptr().cast(),
            };
            header.msg_controllen = control as _;
            header.msg_flags = 0;
        }
        &mut self.headers[waiting]
    }

    /// The first message that has not left.
    pub(super) fn first_unsent(&self) -> Option<&Queued> {
        self.held.get(self.done)
    }

    /// Counts the next `messages` as gone; returns them.
    pub(super) fn advance(&mut self, messages: usize) -> &[Queued] {
        let from = self.done;
        self.done = (from + messages).min(self.held.len());
        &self.held[from..self.done]
    }

    /// Forgets whom it sent to. The messages come out, with whether each is done.
    pub(super) fn wipe(&mut self) -> impl DoubleEndedIterator<Item = (bool, Queued)> {
        let used = self.held.len();
        self.names[..used].zeroize();
        self.controls[..used].zeroize();
        self.lengths.clear();
        let done = std::mem::take(&mut self.done);
        self.held
            .drain(..)
            .enumerate()
            .map(move |(slot, message)| (slot < done, message))
    }

    /// Where the unsent message number `ahead` goes, and with what, as the kernel
    /// would read it.
    #[cfg(test)]
    pub(super) fn outgoing(&self, ahead: usize) -> Option<(SocketAddr, Marks, &[u8])> {
        let slot = self.done + ahead;
        let (name, control) = *self.lengths.get(slot)?;
        let to = self.names[slot].decode(name)?;
        Some((
            to,
            self.controls[slot].read(control),
            &self.held[slot].bytes,
        ))
    }

    /// The memory that may hold addresses.
    #[cfg(test)]
    pub(super) fn memory(&self) -> Vec<u8> {
        let names = self.names.iter().flat_map(|name| name.0);
        names
            .chain(self.controls.iter().flat_map(|control| control.0))
            .collect()
    }
}

const EMPTY_VECTOR: libc::iovec = libc::iovec {
    iov_base: ptr::null_mut(),
    iov_len: 0,
};

// SAFETY: a `mmsghdr` is integers and pointers, for which zeros are valid.
const EMPTY_HEADER: libc::mmsghdr = unsafe { std::mem::zeroed() };
