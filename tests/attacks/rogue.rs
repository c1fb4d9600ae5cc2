//! Somebody with a client of its own making: it knocks like anybody, and once it is inside it has
//! every secret that a member has, and no scruples.

use std::time::Duration;

use openmls::prelude::{
    BasicCredential, Capabilities, CredentialType, CredentialWithKey, ExtensionType, Extensions,
    KeyPackageBuilder, Lifetime, MlsGroup, MlsGroupJoinConfig, MlsMessageBodyIn, MlsMessageIn,
    OpenMlsProvider, PURE_CIPHERTEXT_WIRE_FORMAT_POLICY, ProcessedMessageContent, ProtocolMessage,
    ProtocolVersion, StagedWelcome,
};
use sottovoce::meeting::crypto::sign::SigningKey;
use sottovoce::meeting::crypto::{Provider, SUITE};
use sottovoce::meeting::group::{Group, LeafName, run_of};
use sottovoce::meeting::links::Link;
use sottovoce::meeting::lobby::{Knock, Knocker, KnockerOutput, Status};
use sottovoce::meeting::media::{ReceiverKeys, SenderKeys};
use sottovoce::meeting::{LinkSecret, Standing};
use sottovoce::wire::{ParticipantId, To};
use tls_codec::{DeserializeBytes as _, Serialize as _};

use crate::own::{Admission, Envelope, Plain, Proof, Said, room, short};
use crate::scene::presence;
use crate::world::World;

/// A connection and the secret of its room.
pub struct Line {
    pub tap: usize,
    pub secret: [u8; 32],
    pub envelope: Envelope,
}

impl Line {
    pub fn new(world: &mut World, secret: [u8; 32]) -> Self {
        let tap = world.tap(room(&secret));
        let salt = short(&world.count().to_be_bytes(), "salt");
        let envelope = Envelope::new(secret, salt, world.taps[tap].id);
        Self {
            tap,
            secret,
            envelope,
        }
    }

    pub fn id(&self, world: &World) -> ParticipantId {
        world.taps[self.tap].id
    }

    pub fn post(&mut self, world: &mut World, to: To, plain: &Plain) {
        let body = self.envelope.seal(to, plain);
        world.tap_say(self.tap, to, &body);
    }
}

pub struct Rogue {
    pub provider: Provider,
    pub key: SigningKey,
    pub name: LeafName,
    pub group: MlsGroup,
    /// In the main room.
    pub line: Line,
    pub salt: [u8; 16],
    pub media: SenderKeys,
}

/// Keys and a key package of somebody who is no member yet.
pub struct Wanting {
    pub provider: Provider,
    pub key: SigningKey,
    pub name: LeafName,
    pub key_package: Vec<u8>,
}

/// What every leaf of a meeting says that it can do.
pub fn capabilities() -> Capabilities {
    let extension = ExtensionType::Unknown(0xf5c0);
    Capabilities::new(
        Some(&[ProtocolVersion::Mls10]),
        Some(&[SUITE]),
        Some(&[extension]),
        Some(&[]),
        Some(&[CredentialType::Basic]),
    )
}

pub fn credential(name: &LeafName, key: &SigningKey) -> CredentialWithKey {
    let identity = postcard::to_allocvec(name).expect("encodes");
    CredentialWithKey {
        credential: BasicCredential::new(identity).into(),
        signature_key: key.public().to_vec().into(),
    }
}

impl Wanting {
    /// A process of its own: what stands for it is of its key.
    pub fn new(mut name: LeafName, seed: u8) -> Self {
        let key = SigningKey::from_seed(&[seed; 32]);
        name.run = run_of(&key.public());
        Self::with_key(name, key, seed)
    }

    /// Says that it is the process in `name`.
    pub fn claiming(name: LeafName, seed: u8) -> Self {
        let key = SigningKey::from_seed(&[seed; 32]);
        Self::with_key(name, key, seed)
    }

    pub fn with_key(name: LeafName, key: SigningKey, seed: u8) -> Self {
        let provider = Provider::new([seed ^ 0x80; 32]);
        let bundle = KeyPackageBuilder::new()
            .leaf_node_capabilities(capabilities())
            .key_package_extensions(Extensions::empty())
            .key_package_lifetime(Lifetime::init(0, u64::MAX))
            .build(SUITE, &provider, &key, credential(&name, &key))
            .expect("a key package");
        let key_package = bundle
            .key_package()
            .tls_serialize_detached()
            .expect("bytes");
        Self {
            provider,
            key,
            name,
            key_package,
        }
    }

    /// Knocks for so long. How it ended, as far as it did.
    pub fn knock(
        &self,
        world: &mut World,
        link: &Link,
        secret: [u8; 32],
        proof: Option<Vec<u8>>,
        seconds: u64,
    ) -> Result<Admission, Option<Status>> {
        self.knock_as(world, link, secret, proof, seconds, &self.name.name)
    }

    pub fn knock_as(
        &self,
        world: &mut World,
        link: &Link,
        secret: [u8; 32],
        proof: Option<Vec<u8>>,
        seconds: u64,
        name: &str,
    ) -> Result<Admission, Option<Status>> {
        let knock = Knock {
            name: name.into(),
            key_package: self.key_package.clone(),
            proof_of_return: proof,
        };
        let link = link.meeting().with_secret(LinkSecret::from_bytes(secret));
        let seed = [world.count() as u8; 32];
        let knocker = Knocker::new(&link, knock, seed).expect("within bounds");
        let line = Line::new(world, secret);
        self.knock_on(world, knocker, line, seconds)
    }

    /// Knocks on a connection that stands.
    pub fn knock_on(
        &self,
        world: &mut World,
        mut knocker: Knocker,
        mut line: Line,
        seconds: u64,
    ) -> Result<Admission, Option<Status>> {
        let until = world.now + Duration::from_secs(seconds);
        knocker.enter(world.now, line.id(world));
        while world.now < until {
            knocker.tick(world.now);
            while let Some(said) = knocker.poll() {
                match said {
                    KnockerOutput::Post { to, body } => {
                        line.post(world, to, &Plain::Lobby(body));
                    }
                    KnockerOutput::Admitted(bytes) => {
                        return Ok(postcard::from_bytes(&bytes).expect("an admission"));
                    }
                    KnockerOutput::Status(Status::Denied) => return Err(Some(Status::Denied)),
                    _ => {}
                }
            }
            world.run(Duration::from_millis(20));
            while let Some((from, body)) = world.taps[line.tap].inbox.pop_front() {
                if let Some(Plain::Lobby(body)) = line.envelope.open(from, &body) {
                    knocker.handle(world.now, from, body);
                }
            }
        }
        Err(knocker.status())
    }

    /// Enters by a welcome.
    pub fn enter(self, world: &mut World, admission: Admission) -> Rogue {
        let group = self.welcome(&admission.welcome).expect("a welcome");
        let line = Line::new(world, admission.main);
        let salt = short(&world.count().to_be_bytes(), "media");
        let mut rogue = Rogue {
            group,
            line,
            salt,
            media: SenderKeys::new(salt),
            provider: self.provider,
            key: self.key,
            name: self.name,
        };
        rogue.introduce(world);
        rogue
    }

    pub fn welcome(&self, welcome: &[u8]) -> Option<MlsGroup> {
        let config = MlsGroupJoinConfig::builder()
            .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .use_ratchet_tree_extension(true)
            .build();
        let welcome = MlsMessageIn::tls_deserialize_exact_bytes(welcome).ok()?;
        let MlsMessageBodyIn::Welcome(welcome) = welcome.extract() else {
            return None;
        };
        let staged = StagedWelcome::build_from_welcome(&self.provider, &config, welcome).ok()?;
        let staged = staged.skip_lifetime_validation().build().ok()?;
        staged.into_group(&self.provider).ok()
    }
}

/// Somebody of that name, admitted like anybody.
pub fn insider(world: &mut World, link: &Link, secret: [u8; 32], name: &str) -> Rogue {
    let wanting = Wanting::new(LeafName::member(name, [0xee; 16]), 0x33);
    let admission = wanting.knock(world, link, secret, None, 10);
    let admission = admission.unwrap_or_else(|status| panic!("not admitted: {status:?}"));
    let mut rogue = wanting.enter(world, admission);
    world.seconds(2);
    rogue.follow(world);
    rogue
}

impl Rogue {
    /// Says where it is, like anybody.
    pub fn introduce(&mut self, world: &mut World) {
        let here = Said::Here {
            presence: presence(&self.name.name),
            salt: self.salt,
            me: self.line.id(world),
            signs: false,
            standing: Standing::default(),
            asks: true,
        };
        self.say(world, &here);
        // They answer one after another.
        world.run(std::time::Duration::from_millis(100));
    }

    /// A message of the group, as a member seals it.
    pub fn sealed(&mut self, said: &Said) -> Vec<u8> {
        let said = postcard::to_allocvec(said).expect("encodes");
        let message = self.group.create_message(&self.provider, &self.key, &said);
        message.expect("a member").to_bytes().expect("bytes")
    }

    pub fn say(&mut self, world: &mut World, said: &Said) {
        let sealed = self.sealed(said);
        self.post(world, sealed);
    }

    /// Posts bytes as a message of the group.
    pub fn post(&mut self, world: &mut World, message: Vec<u8>) {
        self.line.post(world, To::Everyone, &Plain::Mls(message));
    }

    /// Takes in what came: commits are followed, and what people said is given back.
    pub fn follow(&mut self, world: &mut World) -> Vec<(ParticipantId, Said)> {
        let mut heard = Vec::new();
        while let Some((from, body)) = world.taps[self.line.tap].inbox.pop_front() {
            let Some(Plain::Mls(bytes)) = self.line.envelope.open(from, &body) else {
                continue;
            };
            if let Some(said) = self.process(&bytes) {
                heard.push((from, said));
            }
        }
        heard
    }

    /// Takes a message of the group; `None` when it says nothing, or does not open.
    pub fn process(&mut self, bytes: &[u8]) -> Option<Said> {
        let message = MlsMessageIn::tls_deserialize_exact_bytes(bytes).ok()?;
        let message = message.try_into_protocol_message().ok()?;
        let message: ProtocolMessage = message;
        let processed = self.group.process_message(&self.provider, message).ok()?;
        match processed.into_content() {
            ProcessedMessageContent::ApplicationMessage(said) => {
                postcard::from_bytes(&said.into_bytes()).ok()
            }
            ProcessedMessageContent::StagedCommitMessage(staged) => {
                let merged = self.group.merge_staged_commit(&self.provider, *staged);
                merged.expect("merges");
                None
            }
            _ => None,
        }
    }

    pub fn epoch(&self) -> u64 {
        self.group.epoch().as_u64()
    }

    /// What all media keys of this epoch derive from.
    pub fn base(&self) -> [u8; 32] {
        self.export("sottovoce media", &self.epoch().to_be_bytes())
    }

    pub fn export(&self, label: &str, context: &[u8]) -> [u8; 32] {
        let crypto = self.provider.crypto();
        let secret = self.group.export_secret(crypto, label, context, 32);
        secret.expect("a member").try_into().expect("32 bytes")
    }

    pub fn leaf(&self, name: &str) -> u32 {
        let of = |credential: &[u8]| postcard::from_bytes::<LeafName>(credential).ok();
        let mut members = self.group.members();
        let found = members.find(|member| {
            of(member.credential.serialized_content()).is_some_and(|one| one.name == name)
        });
        found.expect("in the tree").index.u32()
    }

    /// Keys that seal as somebody else does: every symmetric one is at hand.
    pub fn keys_of(&self, name: &str, salt: [u8; 16]) -> SenderKeys {
        let mut keys = SenderKeys::new(salt);
        keys.epoch(self.epoch(), &self.base(), self.leaf(name));
        keys
    }

    /// Keys that open what somebody sends.
    pub fn opens(&self, world: &World, name: &str, salt: [u8; 16]) -> ReceiverKeys {
        let mut keys = ReceiverKeys::new(self.leaf(name), salt);
        keys.epoch(world.now, self.epoch(), &self.base());
        keys
    }

    /// That a key package is of who had this leaf.
    pub fn proof(&self, key_package: &[u8]) -> Vec<u8> {
        let signature = Group::sign_with(&self.key, "return", key_package);
        let mut halves = [[0; 32]; 2];
        halves.as_flattened_mut().copy_from_slice(&signature);
        let proof = Proof {
            sign_key: self.key.public(),
            signature: halves,
        };
        postcard::to_allocvec(&vec![proof]).expect("encodes")
    }
}
