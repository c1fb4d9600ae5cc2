//! The file under a recording: appended to in steps, patched in place, cut back when it breaks.

use std::fs::File;
use std::io::{self, Cursor, ErrorKind, Seek, SeekFrom, Write};

/// What a recording can be written to.
pub trait Output: Write + Seek {
    /// Cuts everything from `length` bytes on off.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

impl Output for File {
    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}

impl Output for Cursor<Vec<u8>> {
    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.get_mut()
            .truncate(usize::try_from(length).unwrap_or(usize::MAX));
        Ok(())
    }
}

/// A place in the file up to which it is whole, and what is in it up to there.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mark {
    pub position: u64,
    pub end_ns: u64,
    /// Frames up to here.
    pub frames: u64,
}

/// Collects what is appended until it is worth a write.
pub(super) struct Store<O> {
    output: O,
    buffer: Vec<u8>,
    /// Bytes in the output.
    written: u64,
    /// Whole up to here, in the output.
    safe: Mark,
    /// Whole up to here, in the buffer.
    marks: Vec<Mark>,
    /// What goes over bytes in the output once the buffer is there, too.
    later: Vec<(u64, [u8; 8])>,
}

impl<O: Output> Store<O> {
    pub fn new(output: O) -> Self {
        Self {
            output,
            buffer: Vec::new(),
            written: 0,
            safe: Mark::default(),
            marks: Vec::new(),
            later: Vec::new(),
        }
    }

    /// Where the next byte goes.
    pub fn position(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// Appends what `put` appends to the buffer it gets.
    pub fn append<T>(&mut self, put: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        put(&mut self.buffer)
    }

    /// The file is whole up to here, with so many frames, and plays until `end_ns`.
    pub fn mark(&mut self, end_ns: u64, frames: u64) {
        self.marks.push(Mark {
            position: self.position(),
            end_ns,
            frames,
        });
    }

    /// The last mark.
    pub fn marked(&self) -> Mark {
        self.marks.last().copied().unwrap_or(self.safe)
    }

    /// Writes everything out. On an error the file is cut back to the last mark that it has room
    /// for, and what comes after is gone.
    pub fn flush(&mut self) -> io::Result<()> {
        let mut done = 0;
        let result = loop {
            let Some(rest) = self.buffer.get(done..).filter(|rest| !rest.is_empty()) else {
                break self.output.flush();
            };
            match self.output.write(rest) {
                Ok(0) => break Err(ErrorKind::WriteZero.into()),
                Ok(count) => done += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        let reached = self.written + done as u64;
        let kept = self
            .marks
            .iter()
            .rev()
            .find(|mark| mark.position <= reached);
        self.safe = kept.copied().unwrap_or(self.safe);
        self.marks.clear();
        self.buffer.clear();
        self.written = reached;
        let later = std::mem::take(&mut self.later);
        if let Err(error) = result {
            self.written = self.safe.position;
            // Best effort: a tail that stays is a cut-off block, which players put up with.
            let _ = self.output.cut(self.written);
            let _ = self.output.seek(SeekFrom::Start(self.written));
            return Err(error);
        }
        later
            .into_iter()
            .try_for_each(|(at, bytes)| self.patch(at, &bytes))
    }

    /// Like [`Self::patch`], of something that tells of what is still in the buffer: done when
    /// that is written, so that the file is true at any time. Dropped when it cannot be written.
    pub fn patch_later(&mut self, at: u64, bytes: [u8; 8]) {
        if at < self.written {
            self.later.push((at, bytes));
        } else {
            // In the buffer; there it cannot fail.
            let _ = self.patch(at, &bytes);
        }
    }

    /// Writes over bytes that were appended before.
    pub fn patch(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        if let Some(inside) = at.checked_sub(self.written) {
            let inside = usize::try_from(inside).unwrap_or(usize::MAX);
            if let Some(old) = self
                .buffer
                .get_mut(inside..)
                .and_then(|b| b.get_mut(..bytes.len()))
            {
                old.copy_from_slice(bytes);
            }
            return Ok(());
        }
        self.output.seek(SeekFrom::Start(at))?;
        let result = self.output.write_all(bytes);
        self.output.seek(SeekFrom::Start(self.written))?;
        result
    }
}
