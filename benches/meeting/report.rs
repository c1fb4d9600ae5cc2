//! Figures, their goals, and how they are printed.

/// Prints each figure as it comes, and remembers whether all met their goals.
pub struct Report {
    json: bool,
    held: bool,
}

impl Report {
    pub fn new(json: bool) -> Self {
        Self { json, held: true }
    }

    pub fn figure(&mut self, name: &str, value: f64, unit: &str, at_least: Option<f64>) {
        let met = at_least.is_none_or(|goal| value >= goal);
        self.held &= met;
        let number = if value >= 1000.0 {
            format!("{value:.0}")
        } else {
            format!("{value:.2}")
        };
        if self.json {
            let goal = at_least.map_or_else(String::new, |goal| {
                format!(r#","at_least":{goal},"met":{met}"#)
            });
            println!(r#"{{"name":"{name}","value":{number},"unit":"{unit}"{goal}}}"#);
            return;
        }
        let goal = at_least.map_or_else(String::new, |goal| format!("  (goal: at least {goal})"));
        let missed = if met { "" } else { "  MISSED" };
        println!("{name:<34} {number:>12} {unit}{goal}{missed}");
    }

    pub fn held(&self) -> bool {
        self.held
    }
}
