//! What people at a door hand to each other: from a stranger, and from one who has the keys to seal
//! whatever they like. The lobby's seals once more, from their description and not from the code.

use std::sync::OnceLock;
use std::time::Duration;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use hkdf::Hkdf;
use sha2::Sha256;
use sottovoce::meeting::crypto::hpke;
use sottovoce::meeting::links::{Link, Links, MeetingLink, RelayRef};
use sottovoce::meeting::lobby::{
    KEY_PACKAGE_BYTES, Knock, Knocker, KnockerOutput, LobbyBody, PAYLOAD_BYTES, PROOF_BYTES,
    Porter, PorterOutput, SAS_BYTES,
};
use sottovoce::meeting::verify::{
    Attempt, Attempts, HostCommitted, KnockerReady, SasContext, SasMessage,
};
use sottovoce::meeting::{LinkSecret, NAME_BYTES};
use sottovoce::wire::ParticipantId;

const NOW: Duration = Duration::ZERO;
const CHAIR: ParticipantId = ParticipantId(1);
const ADA: ParticipantId = ParticipantId(2);
const BEA: ParticipantId = ParticipantId(3);

/// What all keys of the meeting were drawn from.
const DRAWN: [u8; 32] = [42; 32];

fn derive(key: &[u8], label: &str, context: &[&[u8]]) -> [u8; 32] {
    let mut info = Vec::new();
    for part in [label.as_bytes()].iter().chain(context) {
        info.extend((part.len() as u32).to_be_bytes());
        info.extend(*part);
    }
    let mut out = [0; 32];
    let hkdf = Hkdf::<Sha256>::new(Some(b"sottovoce 1"), key);
    hkdf.expand(&info, &mut out).expect("short");
    out
}

fn links() -> &'static (Link, Link) {
    static LINKS: OnceLock<(Link, Link)> = OnceLock::new();
    LINKS.get_or_init(|| {
        let relay = RelayRef {
            host: "192.0.2.1".into(),
            port: 4433,
            hashes: vec![[7; 32]],
            pass: None,
        };
        let links = Links::draw(vec![relay], "", 0, false, DRAWN).expect("links");
        let parse = |text: &str| Link::parse(text).expect("a link");
        (parse(&links.host), parse(&links.meeting))
    })
}

fn knocker(link: &MeetingLink) -> Knocker {
    let knock = Knock {
        name: "Ada".into(),
        key_package: vec![7; 500],
        proof_of_return: None,
    };
    let mut knocker = Knocker::new(link, knock, [2; 32]).expect("within bounds");
    knocker.enter(NOW, ADA);
    knocker
}

/// The chair's door and Ada, who has knocked; with what is to be known to seal in either's place.
struct Door {
    porter: Porter,
    ada: Knocker,
    run: [u8; 16],
    reply_key: [u8; 32],
    salt: [u8; 16],
}

impl Door {
    fn new() -> Self {
        let (Link::Committer(host), guest) = links() else {
            panic!("a host's link");
        };
        let secret = LinkSecret::from_bytes(derive(&DRAWN, "draw link", &[]));
        let mut door = Self {
            porter: Porter::new(host, &secret, CHAIR, false, NOW, [1; 32]),
            ada: knocker(guest.meeting()),
            run: [0; 16],
            reply_key: [0; 32],
            salt: [0; 16],
        };
        let said = posts(&mut door.ada);
        door.tell_porter(said);
        let said = door.said_by_porter();
        let [LobbyBody::Door(shown)] = &said[..] else {
            panic!("a door");
        };
        door.run = shown.run;
        door.tell_ada(said);
        let said = posts(&mut door.ada);
        let [LobbyBody::Knock { sealed }] = &said[..] else {
            panic!("a knock");
        };
        let seed = derive(&DRAWN, "draw committer", &[&[0]]);
        let key = hpke::KeyPair::from_secret(&derive(&seed, "committer lobby", &[]));
        let plain = hpke::open(&key, &door.knock_info(ADA), &[], sealed)
            .unwrap_or_else(|_| panic!("the description of the seal is wrong"));
        door.reply_key.copy_from_slice(&plain[2..34]);
        door.tell_porter(said);
        let said = door.said_by_porter();
        let [LobbyBody::Answer { salt, .. }] = &said[..] else {
            panic!("an answer");
        };
        door.salt = *salt;
        door.tell_ada(said);
        while door.ada.poll().is_some() {}
        while door.porter.poll().is_some() {}
        door
    }

    fn tell_porter(&mut self, said: Vec<LobbyBody>) {
        for body in said {
            self.porter.handle(NOW, ADA, body);
        }
    }

    fn tell_ada(&mut self, said: Vec<LobbyBody>) {
        for body in said {
            self.ada.handle(NOW, CHAIR, body);
        }
    }

    fn said_by_porter(&mut self) -> Vec<LobbyBody> {
        let said = std::iter::from_fn(|| self.porter.poll());
        said.filter_map(|said| match said {
            PorterOutput::Post { body, .. } => Some(body),
            _ => None,
        })
        .collect()
    }

    fn parties(&self, label: &[u8; 8], knocker: ParticipantId) -> Vec<u8> {
        let lobby = derive(&derive(&DRAWN, "draw link", &[]), "lobby", &[]);
        let (chair, knocker) = (CHAIR.0.to_be_bytes(), knocker.0.to_be_bytes());
        [&label[..], &lobby, &chair, &knocker].concat()
    }

    fn knock_info(&self, knocker: ParticipantId) -> Vec<u8> {
        let parties = self.parties(b"knock 1\0", knocker);
        [&parties[..], &[0], &self.run].concat()
    }
}

fn posts(knocker: &mut Knocker) -> Vec<LobbyBody> {
    let said = std::iter::from_fn(|| knocker.poll());
    said.filter_map(|said| match said {
        KnockerOutput::Post { body, .. } => Some(body),
        _ => None,
    })
    .collect()
}

/// A plaintext of one of these sizes: as it is, or a value in good order.
fn padded(framed: bool, data: &[u8], sizes: &[usize]) -> Vec<u8> {
    let most = sizes.last().map_or(0, |most| most - 2);
    let data = data.get(..data.len().min(most)).unwrap_or_default();
    let mut plain = match framed {
        true => (data.len() as u16).to_be_bytes().to_vec(),
        false => Vec::new(),
    };
    plain.extend(data);
    let size = sizes.iter().find(|size| plain.len() <= **size);
    plain.resize(*size.expect("it fits"), 0);
    plain
}

fn encrypt(key: [u8; 32], counter: u64, aad: &[u8], msg: &[u8]) -> Vec<u8> {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&counter.to_be_bytes());
    let nonce: Nonce<_> = nonce.into();
    let payload = Payload { msg, aad };
    let sealed = Aes256Gcm::new((&key).into()).encrypt(&nonce, payload);
    sealed.expect("any length")
}

/// The first byte says what the rest is: a body in plain, from somebody who has the link alone (0); or
/// what is sealed in a knock (1), a reply (2) or an answer (3), by one who has the keys. 4 is added when
/// it is to be put into good order first.
pub fn lobby_body(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else {
        return;
    };
    let framed = kind & 4 != 0;
    match kind & 3 {
        0 => in_plain(rest),
        1 => in_a_knock(framed, rest),
        2 => in_a_reply(framed, rest),
        _ => in_an_answer(framed, rest),
    }
}

fn in_plain(data: &[u8]) {
    let Ok(body) = postcard::from_bytes::<LobbyBody>(data) else {
        return;
    };
    let written = postcard::to_allocvec(&body).expect("it was read");
    assert!(postcard::from_bytes::<LobbyBody>(&written).is_ok_and(|again| again == body));
    let asks = matches!(body, LobbyBody::Ask { .. });
    let mut door = Door::new();
    let mut asking = knocker(links().1.meeting());
    posts(&mut asking);
    // Parts of a welcome go to all who wait, and are for those who were given the key to it.
    let part = matches!(body, LobbyBody::Part { .. });
    for one in [&mut asking, &mut door.ada] {
        one.handle(NOW, CHAIR, body.clone());
        assert!(one.poll().is_none(), "nothing follows for a knocker");
        let refused = count(one.refusals());
        assert!(refused == u64::from(!asks) || part && refused == 0);
    }
    door.porter.handle(NOW, BEA, body);
    let said = door.said_by_porter();
    assert!(matches!(&said[..], [LobbyBody::Door(_)]) == asks && said.len() < 2);
    assert_eq!(count(door.porter.refusals()), u64::from(!asks));
}

fn in_a_knock(framed: bool, data: &[u8]) {
    let mut door = Door::new();
    let plain = padded(framed, data, &[3840]);
    let Link::Committer(host) = &links().0 else {
        return;
    };
    let key = host.seed.keys().lobby;
    let info = door.knock_info(BEA);
    let sealed = hpke::seal(&key, &info, &[], &plain, &[3; 32]).unwrap_or_default();
    for _ in 0..2 {
        let sealed = sealed.clone();
        door.porter.handle(NOW, BEA, LobbyBody::Knock { sealed });
    }
    let waiting = door.porter.waiting().find(|one| one.participant == BEA);
    if let Some(one) = &waiting {
        assert!(one.name.len() <= NAME_BYTES);
        assert!(one.key_package.len() <= KEY_PACKAGE_BYTES);
        assert!(
            one.proof_of_return
                .is_none_or(|proof| proof.len() <= PROOF_BYTES)
        );
    }
    let taken = u64::from(waiting.is_some());
    assert_eq!(count(door.porter.refusals()), 2 - taken, "once at most");
}

fn in_a_reply(framed: bool, data: &[u8]) {
    let mut door = Door::new();
    let plain = padded(framed, data, &[64, 640]);
    let key = derive(&door.reply_key, "lobby reply", &[]);
    let sealed = encrypt(key, 1, &door.parties(b"reply 1\0", ADA), &plain);
    let mut taken = 0;
    for _ in 0..2 {
        let (counter, sealed) = (1, sealed.clone());
        door.tell_porter(vec![LobbyBody::Reply { counter, sealed }]);
        while let Some(said) = door.porter.poll() {
            let PorterOutput::Sas { message, .. } = said else {
                panic!("a reply is a message of the comparison");
            };
            assert!(message.len() <= SAS_BYTES);
            taken += 1;
        }
    }
    assert_eq!(count(door.porter.refusals()), 2 - taken, "once at most");
}

fn in_an_answer(framed: bool, data: &[u8]) {
    let mut door = Door::new();
    let plain = padded(framed, data, &[64, 640, 15_040]);
    let (salt, counter) = (door.salt, 9);
    let key = derive(&door.reply_key, "lobby answer", &[&salt]);
    let sealed = encrypt(key, counter, &door.parties(b"answer 1", ADA), &plain);
    for _ in 0..2 {
        let (salt, sealed) = (salt, sealed.clone());
        let body = LobbyBody::Answer {
            salt,
            counter,
            sealed,
        };
        door.tell_ada(vec![body]);
    }
    let mut said = 0;
    while let Some(one) = door.ada.poll() {
        said += 1;
        match one {
            KnockerOutput::Sas(message) => assert!(message.len() <= SAS_BYTES),
            KnockerOutput::Admitted(payload) => assert!(payload.len() <= PAYLOAD_BYTES),
            KnockerOutput::Status(_) | KnockerOutput::Moved(_) => {}
            KnockerOutput::Post { .. } | KnockerOutput::Door(_) => panic!("that is no answer"),
        }
    }
    let refused = count(door.ada.refusals());
    assert!(said <= 1 && (1..=2).contains(&refused), "once at most");
}

fn count(refusals: &[u64]) -> u64 {
    refusals.iter().sum()
}

/// A message of the comparison, from the other side.
pub fn sas_message(data: &[u8]) {
    let Some(message) = SasMessage::from_bytes(data) else {
        return;
    };
    assert_eq!(message.to_bytes(), data, "one way to write it");
    let context = SasContext {
        bundle: [1; 32],
        key_package: [2; 32],
        lobby: [3; 32],
    };
    let attempt = || -> Attempt { Attempts::default().take().expect("the first") };
    let (host, _) = HostCommitted::begin(context, attempt(), [4; 32]);
    let nonce = matches!(message, SasMessage::KnockerNonce(_));
    assert_eq!(host.handle(&message).is_ok(), nonce);
    let ready = || KnockerReady::new(context, attempt());
    let commit = matches!(message, SasMessage::Commit(_));
    assert_eq!(ready().handle(&message, [5; 32]).is_ok(), commit);
    let answered = ready().handle(&SasMessage::Commit([6; 32]), [5; 32]);
    let Ok((answered, _)) = answered else {
        panic!("a commitment was due");
    };
    assert!(
        answered.handle(&message).is_err(),
        "a hash was turned round"
    );
}
