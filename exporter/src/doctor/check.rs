//! What a check comes to.

/// What a check comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// What was found.
    pub found: String,
    /// What to do, if something should be done.
    pub fix: Option<String>,
}

impl Check {
    /// All is well.
    pub fn well(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, found: found.into(), fix: None }
    }

    /// Something should be done.
    pub fn ill(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, found: found.into(), fix: Some(fix.into()) }
    }

    /// Whether something should be done.
    pub fn needs_attention(&self) -> bool {
        self.fix.is_some()
    }
}

/// The checks for people: a line each, and one more where something should be done.
pub fn render(checks: &[Check]) -> String {
    let mut lines = Vec::new();
    for Check { name, found, fix } in checks {
        let mark = if fix.is_some() { "!!" } else { "ok" };
        lines.push(format!("{mark}  {name:<12} {}\n", found.replace('\n', "\n                 ")));
        lines.extend(fix.iter().map(|fix| format!("                 → {fix}\n")));
    }
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_should_be_done_stands_below_what_was_found() {
        let checks = [Check::well("state", "/s"), Check::ill("trust", "one\ntwo", "do this")];
        let expected =
            "ok  state        /s\n!!  trust        one\n                 two\n                 → do this\n";
        assert_eq!(render(&checks), expected);
    }
}
