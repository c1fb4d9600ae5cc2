//! Whom the relay serves, with the identity that it is started with.

use sottovoce::relay::{RelayConfig, Who};

use super::Finding;

const CHECK: &str = "access";

pub(super) fn check(config: &RelayConfig) -> Finding {
    // The file was found to hold together but for what the service may add.
    if let Err(error) = config.check() {
        return Finding::wrong(CHECK, format!("{error}."));
    }
    let newest = config.access.generation;
    let good = match (config.access.who, newest) {
        (Who::Open, _) => {
            let sentence = "The relay serves everyone who finds it, within its limits.";
            return Finding::fine(CHECK, sentence);
        }
        (Who::Pass, 0 | 1) => format!("that of generation {newest} is good"),
        (Who::Pass, _) => format!("those of generations {} and {newest} are good", newest - 1),
    };
    let sentence = format!("The relay serves those whose link holds a pass of its own; {good}.");
    Finding::fine(CHECK, sentence)
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn a_pass_needs_an_identity_and_two_generations_are_good() {
        let found = |text: &str| {
            let finding = check(&RelayConfig::parse(text).unwrap());
            (finding.state, finding.sentence)
        };
        for (text, state, words) in [
            ("", State::Fine, "serves everyone"),
            (
                "[access]\nwho = \"pass\"\n",
                State::Wrong,
                "needs an `identity`",
            ),
            (
                "identity = \"/i\"\n[access]\nwho = \"pass\"\n",
                State::Fine,
                "that of generation 1 is",
            ),
            (
                "identity = \"/i\"\n[access]\nwho = \"pass\"\ngeneration = 7\n",
                State::Fine,
                "generations 6 and 7 are",
            ),
        ] {
            let (found, sentence) = found(text);
            assert!(sentence.contains(words), "{sentence}");
            assert_eq!(found, state, "{sentence}");
        }
    }
}
