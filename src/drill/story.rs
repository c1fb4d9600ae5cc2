//! The canary meeting: everything that happens in life happens in it.

use std::net::{IpAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::browser::Browser;
use super::canary::GRACE;
use super::cast::Cast;
use super::forwarder::Forwarder;
use super::network::Network;
use super::person::Person;
use super::scout::main_room;
use super::strangers::{Strangers, Wanted};
use super::{DrillError, thread};
use crate::carrier::transport::{IDLE, KEEP_ALIVE};
use crate::wire::RoomHandle;

/// What the story needs.
pub(super) struct Stage<'a> {
    pub(super) network: &'a Network,
    pub(super) program: &'a Path,
    pub(super) media: PathBuf,
    pub(super) forwarder: &'a Forwarder,
    pub(super) strangers: Strangers,
    pub(super) progress: &'a (dyn Fn(&str) + Sync),
}

/// Somebody who is in the meeting, and the plain address that it speaks from.
struct Inside {
    what: &'static str,
    person: Person,
    plain: IpAddr,
}

/// A meeting that runs.
pub(super) struct Meeting {
    inside: Vec<Inside>,
    /// Those who take part in a browser.
    pub(super) browsers: Vec<Browser>,
    /// What happened so far.
    pub(super) story: Vec<String>,
    /// Links that it got on its way.
    pub(super) links: Vec<String>,
    /// Rooms that it was held in.
    pub(super) rooms: Vec<RoomHandle>,
}

impl Stage<'_> {
    /// Everything.
    pub(super) fn play(&self, cast: &Cast) -> Result<Meeting, DrillError> {
        let mut meeting = self.begin(cast)?;
        let strangers = std::thread::scope(|scope| {
            let strangers = &self.strangers;
            let strangers = thread()
                .spawn_scoped(scope, move || strangers.play(cast, Wanted::Everything))
                .map_err(DrillError::system)?;
            self.middle(cast, &mut meeting)?;
            strangers
                .join()
                .unwrap_or(Err(DrillError::Story("the strangers' thread ended")))
        });
        meeting.story.extend(strangers?);
        Ok(meeting)
    }

    /// A meeting of two and a stranger.
    pub(super) fn play_in_short(&self, cast: &Cast) -> Result<Meeting, DrillError> {
        let mut meeting = self.begin(cast)?;
        meeting
            .story
            .extend(self.strangers.play(cast, Wanted::One)?);
        Ok(meeting)
    }

    /// The host opens the meeting, and the first guest comes in and says something.
    fn begin(&self, cast: &Cast) -> Result<Meeting, DrillError> {
        (self.progress)("the meeting begins");
        let mut meeting = Meeting {
            inside: Vec::new(),
            browsers: Vec::new(),
            story: Vec::new(),
            links: Vec::new(),
            rooms: Vec::new(),
        };
        let host = self.join(cast, "the host", &cast.links.host)?;
        meeting.inside.push(host);
        meeting
            .person("the host")?
            .until("connected", "the host got no connection", any)?;
        self.admit(cast, &mut meeting, "a guest")?;
        meeting.person("a guest")?.types(&cast.chat);
        let host = meeting.person("the host")?;
        host.until("chat", "what a guest said did not arrive", any)?;
        meeting
            .story
            .push("a guest knocked, was let in and wrote".into());
        self.admit_browser(cast, &mut meeting)?;
        Ok(meeting)
    }

    fn middle(&self, cast: &Cast, meeting: &mut Meeting) -> Result<(), DrillError> {
        (self.progress)("people come, knock, are denied and removed");
        self.admit(cast, meeting, "a guest by IPv6")?;
        self.admit(cast, meeting, "one whose way was closed")?;
        let far = meeting.plain("a guest by IPv6")?;
        self.forwarder.cut_off(far, true);
        self.scout(cast, meeting, "a scout", &cast.links.meeting)?;

        let denied = self.join(cast, "one who was denied", &cast.links.meeting)?;
        let number = self.knock(cast, meeting, "one who was denied")?;
        meeting
            .person("the host")?
            .types(&format!("/deny {number}"));
        self.ended(cast, denied, "one who was denied was not sent away")?;
        meeting.story.push("one was denied".into());

        self.admit(cast, meeting, "one whose device crashed")?;
        let crashed = meeting.take("one whose device crashed")?;
        crashed.person.crash();
        let whose = cast.part("one whose device crashed")?.whose;
        cast.register.gone_at(whose, Instant::now() + IDLE);
        meeting.story.push("a device crashed".into());

        let guest = meeting.plain("a guest")?;
        self.forwarder.route(guest, cast.elsewhere.address);
        // Each of its connections shows it by its next packet, at the latest by a sign of life.
        let known = Instant::now() + KEEP_ALIVE + Duration::from_secs(1);
        cast.register.gone_at(cast.part("a guest")?.whose, known);
        meeting.story.push("a guest went to another network".into());

        (self.progress)("ways close and open again");
        let way = cast.part("one whose way was closed")?.address;
        self.network.close_way(way, true)?;
        std::thread::sleep(Duration::from_millis(1500));
        self.network.close_way(way, false)?;
        let sending = match self.network.is_own() {
            true => "sending to one failed for a while",
            false => "no sending failed, since the drill has no network of its own here",
        };
        meeting.story.push(sending.into());
        if !self.network.has_v6() {
            let nobody = "nobody came by IPv6, which is not here";
            meeting.story.push(nobody.into());
        } else if !self.network.is_own() {
            let same = "who came by IPv6 came from ::1, which is told by its port alone";
            meeting.story.push(same.into());
        }

        self.admit(cast, meeting, "one who was removed")?;
        let removed = meeting.take("one who was removed")?;
        let name = &cast.part("one who was removed")?.text;
        let host = meeting.person("the host")?;
        host.types(&format!("/remove {name}"));
        let moved = host.until("link", "the link did not change after a removal", any)?;
        let link = moved.get("meeting_link").and_then(Value::as_str);
        let link = link
            .ok_or(DrillError::Story("a new link is none"))?
            .to_owned();
        self.scout(cast, meeting, "a later scout", &link)?;
        meeting.links.push(link);
        self.ended(cast, removed, "one who was removed did not go")?;
        meeting.story.push("one was removed".into());

        let cut = meeting.person("a guest by IPv6")?;
        cut.until("reconnecting", "one who was cut off did not notice", any)?;
        self.forwarder.cut_off(far, false);
        let cut = meeting.person("a guest by IPv6")?;
        cut.until("reconnected", "one who was cut off did not come back", any)?;
        meeting.story.push("one was cut off and came back".into());
        Ok(())
    }

    fn join(&self, cast: &Cast, what: &'static str, link: &str) -> Result<Inside, DrillError> {
        let part = cast.part(what)?;
        let plain = cast.plain(part);
        self.forwarder.route(plain, part.address);
        let media = matches!(what, "the host" | "a guest").then_some(self.media.as_path());
        let person = Person::join(self.program, link, &part.text, plain, media)?;
        Ok(Inside {
            what,
            person,
            plain,
        })
    }

    /// Waits for a knock; its number.
    pub(super) fn knock(
        &self,
        cast: &Cast,
        meeting: &mut Meeting,
        what: &'static str,
    ) -> Result<u64, DrillError> {
        let name = cast.part(what)?.text.clone();
        let host = meeting.person("the host")?;
        let knock = host.until("knock", "a knock did not reach the host", |event| {
            event.get("name").is_some_and(|knocking| *knocking == *name)
        })?;
        let number = knock.get("number").and_then(Value::as_u64);
        number.ok_or(DrillError::Story("a knock had no number"))
    }

    /// Somebody comes, knocks and is let in.
    fn admit(
        &self,
        cast: &Cast,
        meeting: &mut Meeting,
        what: &'static str,
    ) -> Result<(), DrillError> {
        let joined = self.join(cast, what, &cast.links.meeting)?;
        meeting.inside.push(joined);
        let number = self.knock(cast, meeting, what)?;
        meeting
            .person("the host")?
            .types(&format!("/admit {number}"));
        let person = meeting.person(what)?;
        person.until("connected", "one who was let in did not come in", any)?;
        let name = &cast.part(what)?.text;
        let host = meeting.person("the host")?;
        host.until(
            "joined",
            "the host did not see one who was let in",
            |event| event.get("name").is_some_and(|joined| joined == name),
        )?;
        Ok(())
    }

    /// Finds out in which room the meeting is held.
    fn scout(
        &self,
        cast: &Cast,
        meeting: &mut Meeting,
        what: &'static str,
        link: &str,
    ) -> Result<(), DrillError> {
        let part = cast.part(what)?;
        let relay = self.strangers.to(part)?;
        let room = std::thread::scope(|scope| {
            let scout = thread()
                .spawn_scoped(scope, || main_room(link, part, &relay))
                .map_err(DrillError::system)?;
            let number = self.knock(cast, meeting, what)?;
            meeting
                .person("the host")?
                .types(&format!("/admit {number}"));
            scout
                .join()
                .unwrap_or(Err(DrillError::Story("a scout's thread ended")))
        })?;
        cast.register.gone(part.whose);
        meeting.rooms.push(room);
        Ok(())
    }

    /// Somebody was sent away and is gone.
    fn ended(&self, cast: &Cast, mut inside: Inside, what: &'static str) -> Result<(), DrillError> {
        inside.person.until("error", what, any)?;
        cast.register.gone(cast.part(inside.what)?.whose);
        Ok(())
    }
}

impl Meeting {
    pub(super) fn person(&mut self, what: &'static str) -> Result<&mut Person, DrillError> {
        let inside = self.inside.iter_mut().find(|inside| inside.what == what);
        inside
            .map(|inside| &mut inside.person)
            .ok_or(DrillError::Story("somebody is missing"))
    }

    fn plain(&self, what: &'static str) -> Result<IpAddr, DrillError> {
        let inside = self.inside.iter().find(|inside| inside.what == what);
        inside
            .map(|inside| inside.plain)
            .ok_or(DrillError::Story("somebody is missing"))
    }

    fn take(&mut self, what: &'static str) -> Result<Inside, DrillError> {
        let place = self.inside.iter().position(|inside| inside.what == what);
        let place = place.ok_or(DrillError::Story("somebody is missing"))?;
        Ok(self.inside.swap_remove(place))
    }

    /// Everybody leaves, the host last; then the time goes by after which nothing may be left.
    pub(super) fn end(&mut self, cast: &Cast) -> Result<(), DrillError> {
        for browser in self.browsers.drain(..) {
            browser.leave()?;
        }
        while let Some(mut inside) = self.inside.pop() {
            inside.person.leave()?;
        }
        cast.over();
        std::thread::sleep(GRACE);
        Ok(())
    }
}

pub(super) fn any(_: &Value) -> bool {
    true
}

/// A port of 127.0.0.1 that nobody has.
pub(super) fn free_port() -> Result<u16, DrillError> {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).map_err(DrillError::network)?;
    Ok(socket.local_addr().map_err(DrillError::network)?.port())
}
