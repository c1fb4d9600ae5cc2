//! What a relay gives up, at the two moments when it can.

use std::path::PathBuf;

use sottovoce::quiet::sandbox::{self, Needs};
use sottovoce::quiet::{self, Event, HardenError};
use sottovoce::relay::RelayConfig;

use super::{Exit, Failure};

/// See the module.
pub(super) struct Sandbox {
    needs: Needs,
    /// Rather no relay than one that could do more.
    required: bool,
}

impl Sandbox {
    /// What this configuration needs later on stays allowed, and to read some files again.
    pub(super) fn of(
        config: &RelayConfig,
        rereads: Vec<PathBuf>,
        page: bool,
        required: bool,
    ) -> Self {
        let needs = Needs {
            rereads,
            accepts: config.metrics.listen.is_some(),
            counts: page,
        };
        Self { needs, required }
    }

    /// Before any other thread begins, and after the last file was read that is not read again.
    pub(super) fn fence(&self) -> Result<(), Failure> {
        self.given_up(sandbox::fence(&self.needs))
    }

    /// When all threads have begun.
    pub(super) fn filter(&self) -> Result<(), Failure> {
        self.given_up(sandbox::filter(&self.needs))
    }

    fn given_up(&self, outcome: Result<(), HardenError>) -> Result<(), Failure> {
        match outcome {
            Ok(()) => Ok(()),
            Err(measure) if self.required => Err(Failure::new(
                Exit::Sandbox,
                format!("{measure}. It does not start, since --require-sandbox asks for that"),
            )),
            Err(measure) => {
                quiet::log(Event::NotHardened { measure });
                Ok(())
            }
        }
    }
}
