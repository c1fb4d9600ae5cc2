use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// A network that takes a chunk whenever there is a permit for one.
#[derive(Clone)]
struct Net {
    permits: Arc<tokio::sync::Semaphore>,
    log: Arc<Mutex<Vec<String>>>,
    opened: Arc<AtomicUsize>,
}

struct Stream {
    net: Net,
    number: usize,
}

impl Net {
    fn new(permits: usize) -> Self {
        Self {
            permits: Arc::new(tokio::sync::Semaphore::new(permits)),
            log: Arc::default(),
            opened: Arc::default(),
        }
    }

    fn say(&self, text: String) {
        self.log.lock().unwrap().push(text);
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

impl Road for Net {
    type Group = Stream;
    async fn open_group(&self, _: i32) -> Result<Stream, Gone> {
        let number = self.opened.fetch_add(1, Ordering::SeqCst);
        Ok(Stream {
            net: self.clone(),
            number,
        })
    }
}

impl Group for Stream {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Gone> {
        self.net.permits.acquire().await.unwrap().forget();
        self.net.say(format!(
            "{} {}",
            self.number,
            String::from_utf8_lossy(&bytes)
        ));
        Ok(())
    }
    fn finish(self) {
        self.net.say(format!("{} finished", self.number));
    }
    fn reset(self) {
        self.net.say(format!("{} reset", self.number));
    }
}

fn push(lane: &mut Lane<Net>, group: u32, text: &str) -> Pushed {
    let bytes = Bytes::copy_from_slice(text.as_bytes());
    let header = || Bytes::from(format!("header {group}"));
    lane.push(GroupNumber(group), text.starts_with("key"), header, bytes)
}

async fn later(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn groups_go_out_whole_and_in_order() {
    let net = Net::new(100);
    let mut lane = Lane::new(net.clone());
    assert_eq!(
        push(&mut lane, 3, "picture"),
        Pushed::NoKeyFrame,
        "no key frame yet"
    );
    for (group, text) in [(4, "key"), (4, "picture"), (5, "key"), (5, "picture")] {
        assert_eq!(push(&mut lane, group, text), Pushed::Queued);
        later(1).await;
    }
    lane.drain().await;
    assert_eq!(
        net.log(),
        [
            "0 header 4",
            "0 key",
            "0 picture",
            "0 finished",
            "1 header 5",
            "1 key",
            "1 picture",
            "1 finished"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_group_that_the_network_does_not_take_is_given_up_until_the_next_key_frame() {
    let net = Net::new(2);
    let mut lane = Lane::new(net.clone());
    push(&mut lane, 0, "key");
    later(1).await;
    assert_eq!(push(&mut lane, 0, "one"), Pushed::Queued);
    later(PATIENCE.as_secs() + 1).await;
    assert_eq!(push(&mut lane, 0, "two"), Pushed::GivenUp);
    assert_eq!(push(&mut lane, 0, "three"), Pushed::GivenUp);
    net.permits.add_permits(100);
    later(1).await;
    assert_eq!(
        push(&mut lane, 0, "four"),
        Pushed::GivenUp,
        "the rest of it too"
    );
    assert_eq!(push(&mut lane, 1, "key"), Pushed::Queued);
    lane.drain().await;
    assert_eq!(
        net.log(),
        [
            "0 header 0",
            "0 key",
            "0 reset",
            "1 header 1",
            "1 key",
            "1 finished"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn old_groups_do_not_pile_up() {
    let net = Net::new(0);
    let mut lane = Lane::new(net.clone());
    for group in 0..20 {
        push(&mut lane, group, "key");
        later(1).await;
        assert!(lane.former.len() <= FORMER);
    }
    assert_eq!(
        net.log().len(),
        18,
        "all but the current one and the one before are reset"
    );
}

#[tokio::test(start_paused = true)]
async fn a_slow_network_that_keeps_up_loses_nothing() {
    let net = Net::new(0);
    let mut lane = Lane::new(net.clone());
    for group in 0..5 {
        for frame in 0..10 {
            let text = if frame == 0 { "key" } else { "picture" };
            assert_eq!(push(&mut lane, group, text), Pushed::Queued);
            later(1).await;
            net.permits.add_permits(if frame == 0 { 2 } else { 1 });
        }
    }
    lane.drain().await;
    assert_eq!(net.log().len(), 5 * (10 + 2));
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_is_dropped_gives_up_what_waits() {
    let net = Net::new(2);
    let mut lane = Lane::new(net.clone());
    for text in ["key", "one", "two"] {
        push(&mut lane, 0, text);
    }
    later(1).await;
    drop(lane);
    net.permits.add_permits(100);
    later(1).await;
    assert_eq!(net.log(), ["0 header 0", "0 key", "0 reset"]);
}
