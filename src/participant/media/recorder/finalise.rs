//! The end of a recording: sizes, index and duration.

use std::io;
use std::time::Duration;

use super::super::ebml::{self, id};
use super::store::{Mark, Output};
use super::{CLUSTER_HEADER, DURATION, Recorder, SEEK_HEAD};

impl<O: Output> Recorder<O> {
    /// Puts the sizes of clusters in their places: of all that may be without, up to the end.
    pub(super) fn close_clusters(&mut self) {
        let mut end = self.store.position();
        for &begin in self.places.clusters.iter().rev() {
            // What a full disk cut off is not there any more.
            if begin >= end {
                continue;
            }
            let body = begin + CLUSTER_HEADER;
            self.store
                .patch_later(body - 8, ebml::size_in_8(end.saturating_sub(body)));
            end = begin;
        }
    }

    /// Writes the index and all that was left open. Tries each step, whatever the others say, and
    /// returns the first error.
    pub(super) fn finalise(&mut self) -> io::Result<()> {
        self.ended = true;
        let end = self.store.marked();
        self.summary.left_out += self.summary.frames - end.frames;
        self.summary.frames = end.frames;
        self.summary.duration = Duration::from_nanos(end.end_ns);
        if let (0, Some(path)) = (end.frames, &self.path) {
            return std::fs::remove_file(path);
        }
        self.close_clusters();
        let closed = self.store.flush();
        let cues = self.store.position();
        let indexed = self.write_index(end);
        let mut duration = Vec::with_capacity(DURATION);
        let ticks = end.end_ns as f64 / self.layout.scale_ns as f64;
        ebml::put_float(&mut duration, id::DURATION, ticks);
        let patched = self.store.patch(self.places.duration, &duration);
        let seekable = match indexed {
            Ok(()) => self
                .store
                .patch(self.places.seek_head, &self.seek_head(cues)),
            Err(_) => Ok(()),
        };
        let size = self.store.position() - self.places.segment;
        let sized = self
            .store
            .patch(self.places.segment - 8, &ebml::size_in_8(size));
        let flushed = self.store.flush();
        self.summary.bytes = self.store.position();
        closed
            .and(indexed)
            .and(patched)
            .and(seekable)
            .and(sized)
            .and(flushed)
    }

    /// Appends Cues (RFC 9559, section 5.1.5) for what is in the file.
    fn write_index(&mut self, end: Mark) -> io::Result<()> {
        let (cues, segment) = (&self.cues, self.places.segment);
        self.store.append(|out| {
            ebml::put_master(out, id::CUES, |out| {
                for cue in cues.iter().take_while(|cue| cue.cluster < end.position) {
                    ebml::put_master(out, id::CUE_POINT, |out| {
                        ebml::put_uint(out, id::CUE_TIME, cue.ticks);
                        ebml::put_master(out, id::CUE_TRACK_POSITIONS, |out| {
                            ebml::put_uint(out, id::CUE_TRACK, cue.track.into());
                            ebml::put_uint(out, id::CUE_CLUSTER_POSITION, cue.cluster - segment);
                        });
                    });
                }
            });
        });
        self.store.mark(end.end_ns, end.frames);
        self.store.flush()
    }

    /// Where the parts of the file are (RFC 9559, section 5.1.1), exactly [`SEEK_HEAD`] bytes.
    fn seek_head(&self, cues: u64) -> Vec<u8> {
        let places = &self.places;
        let parts = [
            (id::INFO, places.info),
            (id::TRACKS, places.tracks),
            (id::CUES, cues),
        ];
        let mut out = Vec::with_capacity(SEEK_HEAD);
        ebml::put_master(&mut out, id::SEEK_HEAD, |out| {
            for (part, place) in parts {
                ebml::put_master(out, id::SEEK, |out| {
                    ebml::put_bytes(out, id::SEEK_ID, &part.to_be_bytes());
                    let position = (place - places.segment).to_be_bytes();
                    ebml::put_bytes(out, id::SEEK_POSITION, &position);
                });
            }
        });
        out
    }
}
