//! Bytes of a terminal that become keys: UTF-8, and the sequences of ECMA-48 and xterm.

/// What was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Char(char),
    Enter,
    Tab,
    Backspace,
    Delete,
    Left,
    Right,
    WordLeft,
    WordRight,
    Home,
    End,
    Up,
    Down,
    /// Ctrl and this letter.
    Control(char),
    /// From here on a text is put in whole, until `PasteEnd`.
    PasteBegin,
    PasteEnd,
}

/// The longest part of a sequence that means something to us is `200`.
const PARAMETERS: usize = 8;

#[derive(Default)]
enum State {
    #[default]
    Ground,
    /// The first bytes of a letter, and how many there are to be.
    Letter(Vec<u8>, usize),
    Escape,
    /// `ESC O`
    Single,
    /// `ESC [`, and what has come since.
    Sequence(Vec<u8>),
}

/// Tells keys apart.
#[derive(Default)]
pub(super) struct Keys {
    state: State,
}

impl Keys {
    /// The key that this byte completes.
    pub(super) fn feed(&mut self, byte: u8) -> Option<Key> {
        match std::mem::take(&mut self.state) {
            State::Ground => self.ground(byte),
            State::Letter(mut begun, length) => {
                if byte & 0xc0 != 0x80 {
                    return self.ground(byte);
                }
                begun.push(byte);
                if begun.len() < length {
                    self.state = State::Letter(begun, length);
                    return None;
                }
                let letter = std::str::from_utf8(&begun).ok()?.chars().next()?;
                (!letter.is_control()).then_some(Key::Char(letter))
            }
            State::Escape => match byte {
                b'[' => self.go(State::Sequence(Vec::new())),
                b'O' => self.go(State::Single),
                b'b' => Some(Key::WordLeft),
                b'f' => Some(Key::WordRight),
                0x7f | 0x08 => Some(Key::Control('w')),
                // The escape key itself, and then something else.
                _ => self.ground(byte),
            },
            State::Single => last_of(byte),
            State::Sequence(mut parameters) => match byte {
                0x20..=0x3f => {
                    if parameters.len() < PARAMETERS {
                        parameters.push(byte);
                    }
                    self.go(State::Sequence(parameters))
                }
                0x40..=0x7e => sequence(&parameters, byte),
                _ => self.ground(byte),
            },
        }
    }

    fn go(&mut self, state: State) -> Option<Key> {
        self.state = state;
        None
    }

    fn ground(&mut self, byte: u8) -> Option<Key> {
        match byte {
            0x1b => self.go(State::Escape),
            b'\r' | b'\n' => Some(Key::Enter),
            b'\t' => Some(Key::Tab),
            0x7f | 0x08 => Some(Key::Backspace),
            0x01..=0x1a => Some(Key::Control(char::from(byte | 0x60))),
            0x20..=0x7e => Some(Key::Char(char::from(byte))),
            0xc2..=0xdf => self.go(State::Letter(vec![byte], 2)),
            0xe0..=0xef => self.go(State::Letter(vec![byte], 3)),
            0xf0..=0xf4 => self.go(State::Letter(vec![byte], 4)),
            _ => None,
        }
    }
}

fn last_of(byte: u8) -> Option<Key> {
    Some(match byte {
        b'A' => Key::Up,
        b'B' => Key::Down,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'H' => Key::Home,
        b'F' => Key::End,
        b'M' => Key::Enter,
        _ => return None,
    })
}

fn sequence(parameters: &[u8], last: u8) -> Option<Key> {
    Some(match (parameters, last) {
        // With ctrl (5) or alt (3).
        (b"1;5" | b"1;3", b'C') => Key::WordRight,
        (b"1;5" | b"1;3", b'D') => Key::WordLeft,
        (b"1" | b"7", b'~') => Key::Home,
        (b"4" | b"8", b'~') => Key::End,
        (b"3", b'~') => Key::Delete,
        (b"200", b'~') => Key::PasteBegin,
        (b"201", b'~') => Key::PasteEnd,
        (b"", b'M') => return None,
        (b"", _) => return last_of(last),
        _ => return None,
    })
}
