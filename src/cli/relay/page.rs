//! The page's thread: apart from that which serves meetings, and behind it whenever both want to work.

use sottovoce::carrier::address::Host;
use sottovoce::carrier::front::{Front, Greeter, Seats};
use sottovoce::carrier::server::draw_once;
use sottovoce::page::{OF_ONE_ADDRESS, serve};
use sottovoce::quiet;
use sottovoce::relay::Relay;
use tokio::sync::oneshot;

use super::{Exit, Failure};

/// The port at which browsers look for what a name serves. What is said of TLS holds for all ports of a name,
/// so a relay at another one would say it of somebody else's site.
const HTTPS: u16 = 443;

/// What it takes to serve the page.
pub(super) struct Page {
    fronts: Vec<Front>,
    greeter: Greeter,
    only_tls: bool,
    seats: Seats,
}

impl Page {
    /// At these ports; nowhere without one. Unless it `is_served`, whoever comes to a port that a service
    /// manager holds open all the same is sent away: their addresses would stay in the kernel's table for as
    /// long as it does.
    pub(super) fn at(
        fronts: Vec<Front>,
        relay: &Relay,
        is_served: bool,
    ) -> Result<Option<Self>, Failure> {
        if fronts.is_empty() {
            return Ok(None);
        }
        let internal = |error: String| Failure::new(Exit::Internal, error);
        let greeter =
            Greeter::new(relay.certificates()).map_err(|error| internal(error.to_string()))?;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)
            .map_err(|_| internal("The system gives no randomness.".into()))?;
        let seats = if is_served { OF_ONE_ADDRESS } else { 0 };
        let address = relay.address();
        Ok(Some(Self {
            fronts,
            greeter,
            only_tls: address.hashes().is_empty()
                && address.port() == HTTPS
                && matches!(address.host(), Host::Name(_)),
            seats: Seats::new(seats, seed),
        }))
    }

    /// Takes from the system what it takes once and says so; serves as soon as it may.
    pub(super) fn run(self, begun: oneshot::Sender<()>, locked: oneshot::Receiver<()>) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            // What requests left on the stack goes whenever there is nothing to do.
            .on_thread_park(quiet::wipe_stack)
            .build();
        let Ok(runtime) = runtime else { return };
        quiet::stand_back();
        draw_once();
        runtime.block_on(async {
            let fronts = self
                .fronts
                .into_iter()
                .map(|front| front.watch(&self.seats));
            let Ok(fronts) = fronts.collect() else { return };
            let _ = begun.send(());
            // Nobody is served outside the sandbox.
            if locked.await.is_ok() {
                serve(fronts, self.greeter, self.only_tls).await;
            }
        });
    }
}
