//! The cases, their shapes and their bars.

use std::time::Duration;

/// Bytes of a sealed Opus frame of 20 ms at 24 kbit/s with a margin: what the figures of others
/// were measured with.
pub const AUDIO: usize = 160;
/// Audio frames per second of a talker.
pub const PACE: Duration = Duration::from_millis(20);
/// Pictures per second and bytes of each (1 Mbit/s), and pictures in a group (2 s).
pub const PICTURE_PACE: Duration = Duration::from_millis(40);
pub const PICTURE: usize = 5000;
pub const GROUP: u64 = 50;

/// The highest ratio of what WebTransport costs to what raw QUIC does that passes.
pub const WEB_BAR: f64 = 1.15;

/// What is sent in a case.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Media {
    Audio,
    Video,
    Nothing,
}

/// One case: so many talkers, heard by so many listeners (and by each other).
pub struct Case {
    pub name: &'static str,
    pub about: &'static str,
    pub talkers: usize,
    pub listeners: usize,
    /// The listeners are viewers of a vigil: longer beat, announced to nobody.
    pub viewers: bool,
    pub media: Media,
    /// The highest ratio to the floor that passes.
    pub bar: Option<f64>,
    /// The highest memory for each participant that passes, in KiB.
    pub memory_bar: Option<f64>,
}

impl Case {
    pub const ALL: &[Case] = &[
        Case::audio(
            "talker-1x100",
            "one talker, 100 listeners",
            1,
            100,
            false,
            2.0,
        ),
        Case::audio(
            "talker-1x400",
            "one talker, 400 listeners",
            1,
            400,
            false,
            2.0,
        ),
        Case::audio(
            "stage-10x40",
            "ten talkers, 40 listeners",
            10,
            40,
            false,
            2.2,
        ),
        Case::audio(
            "crowd-8x200",
            "eight talkers, 200 listeners",
            8,
            200,
            false,
            1.8,
        ),
        Case::audio(
            "vigil-2x2000",
            "two talkers, 2,000 viewers",
            2,
            2000,
            true,
            2.0,
        ),
        Case {
            name: "video-1x100",
            about: "one picture of 1 Mbit/s with a key frame each 2 s, 100 listeners",
            talkers: 1,
            listeners: 100,
            viewers: false,
            media: Media::Video,
            bar: None,
            memory_bar: None,
        },
        Case {
            name: "idle-1000",
            about: "1,000 participants in rooms of ten who send nothing",
            talkers: 0,
            listeners: 1000,
            viewers: false,
            media: Media::Nothing,
            bar: None,
            memory_bar: Some(40.0),
        },
    ];

    const fn audio(
        name: &'static str,
        about: &'static str,
        talkers: usize,
        listeners: usize,
        viewers: bool,
        bar: f64,
    ) -> Self {
        Self {
            name,
            about,
            talkers,
            listeners,
            viewers,
            media: Media::Audio,
            bar: Some(bar),
            memory_bar: None,
        }
    }

    pub fn named(name: &str) -> Option<&'static Case> {
        Self::ALL.iter().find(|case| case.name == name)
    }

    /// How often the relay sends to each listener.
    pub fn beat(&self) -> Duration {
        if self.viewers {
            Duration::from_millis(60)
        } else {
            Duration::from_millis(20)
        }
    }

    /// The UDP payloads that one listener is sent on one beat: (bytes, how many). QUIC adds at
    /// least 1 + 8 (connection id) + 2 (packet number) + 16 (tag) + 3 (DATAGRAM header), a bundle 7
    /// bytes to each frame.
    pub fn packets(&self) -> (usize, usize) {
        const QUIC: usize = 30;
        let beat_ms = self.beat().as_millis() as usize;
        match self.media {
            Media::Audio => {
                let entries = self.talkers * beat_ms / 20;
                let bytes = entries * (AUDIO + 7);
                let packets = bytes.div_ceil(1024 / (AUDIO + 7) * (AUDIO + 7));
                (entries.div_ceil(packets) * (AUDIO + 7) + QUIC, packets)
            }
            Media::Video => {
                let bytes = PICTURE * beat_ms / 40;
                let packets = bytes.div_ceil(1200 - QUIC);
                (bytes.div_ceil(packets) + QUIC, packets)
            }
            Media::Nothing => (0, 0),
        }
    }

    /// Frames that one listener is sent on one beat, on average.
    pub fn frames_per_beat(&self) -> f64 {
        let beat = self.beat().as_secs_f64();
        match self.media {
            Media::Audio => self.talkers as f64 * beat / PACE.as_secs_f64(),
            Media::Video => self.talkers as f64 * beat / PICTURE_PACE.as_secs_f64(),
            Media::Nothing => 0.0,
        }
    }
}
