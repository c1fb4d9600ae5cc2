//! How it ends when the relay was not there to the end, or the person did not wait for it.

use std::thread::JoinHandle;
use std::time::Instant;

use tokio::sync::oneshot;

use super::super::Session;
use super::super::interrupt::Interrupts;
use super::*;
use crate::meeting::Input as Told;
use crate::participant::console::{Command, Typed};
use crate::participant::event::LossReason;

/// A relay on a thread of its own, so that it can die.
struct Mortal {
    relay: Relay,
    life: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Mortal {
    async fn start() -> Self {
        let (born, relay) = oneshot::channel();
        let (life, death) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                assert!(born.send(Relay::start(0).await).is_ok());
                let _ = death.await;
            });
        });
        let relay = relay.await.unwrap();
        Self {
            relay,
            life,
            thread,
        }
    }

    /// Without a word. What is left of it answers nothing.
    fn die(self) -> Relay {
        drop(self.life);
        self.thread.join().unwrap();
        self.relay
    }
}

/// A participant in the meeting whose loop does not run: nobody looks at its line.
async fn inside(options: JoinOptions) -> (Page, Session) {
    let page = Page::default();
    let output = Output::json(page.clone());
    let mut session = Session::prepare(options, output).await.ok().unwrap();
    session.said(Instant::now());
    while !session.is_in_the_meeting() {
        let moment = Duration::from_millis(20);
        match tokio::time::timeout(moment, session.stays.next()).await {
            Ok((stay, came)) => session.came(Instant::now(), stay, came).unwrap(),
            Err(_) => session.tell(Instant::now(), Told::Tick),
        }
    }
    // The last acknowledgements are there.
    tokio::time::sleep(Duration::from_millis(200)).await;
    (page, session)
}

async fn finish(session: Session) -> JoinError {
    let mut interrupts = Interrupts::new().unwrap();
    session.finish(Ok(()), &mut interrupts).await.unwrap_err()
}

/// What came before it died is seen only when somebody looks again, and that was not a word of one
/// who is still there.
#[tokio::test]
async fn a_relay_that_dies_unlooked_at_is_gone_and_the_network_not_slow() {
    let relay = Mortal::start().await;
    let (_, session) = inside(options(&relay.relay.link(), "Ada")).await;
    let _dead = relay.die();
    let error = finish(session).await;
    assert!(matches!(error, JoinError::Gone { .. }), "{error}");
}

#[tokio::test]
async fn that_the_relay_is_gone_is_also_said_when_something_had_failed_before() {
    let relay = Mortal::start().await;
    let (page, mut session) = inside(options(&relay.relay.link(), "Ada")).await;
    let file = String::from("half.webm");
    session.failure = Some(JoinError::PlayedInPart { file });
    let _dead = relay.die();
    let error = finish(session).await;
    assert!(matches!(error, JoinError::PlayedInPart { .. }), "{error}");
    assert_eq!(page.names(), ["chair", "connected", "warning", "summary"]);
    let told = page.events().remove(2);
    assert_eq!(told["warning"], "end-missing");
    let text = told["text"].as_str().unwrap();
    assert!(text.contains("gone at the end"), "{text}");
}

#[tokio::test]
async fn a_relay_that_ends_it_during_the_goodbye_is_quoted() {
    let relay = Relay::start(0).await;
    let (_, session) = inside(options(&relay.link(), "Ada")).await;
    relay.drop_all(CloseReason::TooLarge);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let error = finish(session).await;
    assert!(
        matches!(error, JoinError::Closed(CloseReason::TooLarge)),
        "{error}"
    );
}

#[tokio::test]
async fn who_does_not_wait_for_the_goodbye_is_told_what_that_may_cost() {
    let relay = Mortal::start().await;
    let (_, mut session) = inside(options(&relay.relay.link(), "Ada")).await;
    let _dead = relay.die();
    let error = session.part(async {}).await.unwrap();
    // A moment's silence tells nothing of the relay yet.
    let cut = matches!(error, JoinError::EndMissing { video: false });
    assert!(cut, "{error}");
    assert!(!error.to_string().contains("video"), "{error}");
}

#[tokio::test]
async fn who_does_not_wait_for_recordings_is_told_what_that_may_cost() {
    let relay = Relay::start(0).await;
    let folder = tempfile::tempdir().unwrap();
    let mut recording = options(&relay.link(), "Ada");
    recording.record = Some(folder.path().into());
    let (_, mut session) = inside(recording).await;
    session.complete_recordings(async {}).await;
    let error = finish(session).await;
    assert!(matches!(error, JoinError::RecordingsUnfinished), "{error}");
}

/// What is typed before anybody can know that the relay is dead goes nowhere.
#[tokio::test]
async fn what_was_said_to_a_dead_relay_is_told_and_what_it_had_is_not() {
    let relay = Mortal::start().await;
    let (page, mut session) = inside(options(&relay.relay.link(), "Ada")).await;
    let say = |session: &mut Session, text: &str| {
        let said = Command::Say(text.into());
        session.typed(Instant::now(), Typed::Command(said));
    };
    say(&mut session, "had");
    // The relay answers a later one, too.
    tokio::time::sleep(Duration::from_millis(400)).await;
    session.look_at_the_lines(Instant::now());
    say(&mut session, "had, too, as far as can be known");
    tokio::time::sleep(Duration::from_millis(400)).await;
    session.look_at_the_lines(Instant::now());
    let _dead = relay.die();
    say(&mut session, "to nobody");
    let lead = session.stays.lead().unwrap().id;
    let lost = session.lost_for(Instant::now(), lead, LossReason::Silence);
    assert!(lost.is_ok());
    let unsure = |page: &Page| -> Vec<String> {
        let warnings = page.events().into_iter();
        let unsure = warnings.filter(|event| event["warning"] == "chat-unsure");
        unsure.map(|event| event["text"].to_string()).collect()
    };
    let told = unsure(&page);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("to nobody"), "{told:?}");
    assert!(!told[0].contains("\"had\\\""), "{told:?}");
    // Now it is known that there is no relay, and it is said at once.
    say(&mut session, "later");
    assert_eq!(page.names().last().unwrap(), "answer");
    assert_eq!(unsure(&page).len(), 1);
}
