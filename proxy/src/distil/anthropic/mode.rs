//! The permission mode, as far as the client tells the model of it.
//!
//! Most modes leave no trace. What there is stands in the client's own texts between the messages, and in the results
//! of calls that were not allowed; the conversation holds all of it, until it is summarised.

use ccxray_shared::Name;

use super::wording::{
    AUTO_BEGINS, AUTO_ENDS, MEMORY_FILES, NOT_ASKED, NOT_GRANTED, OF_MODE, PLAN_BEGINS, PLAN_ENDS, REMINDER,
};
use crate::distil::words::Words;

/// What a place in the conversation shows of the mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    PlanBegins,
    PlanEnds,
    AutoBegins,
    AutoEnds,
    /// A call was denied without asking the user.
    NotAsked,
    /// A call waited for the user's permission, and did not get it.
    NotGranted,
}

/// The mode that the signs so far add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    #[default]
    Unknown,
    Plan,
    Auto,
    DontAsk,
    Default,
}

impl Mode {
    /// The mode that was remembered under this name.
    pub(super) fn named(name: &str) -> Self {
        let known = [Self::Plan, Self::Auto, Self::DontAsk, Self::Default];
        known.into_iter().find(|mode| mode.as_str() == Some(name)).unwrap_or_default()
    }

    /// Its name, as the client's settings spell it; none if it does not show.
    pub(super) fn name(self) -> Option<Name<'static>> {
        self.as_str().map(Name::from_wire)
    }

    fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Unknown => None,
            Self::Plan => Some("plan"),
            Self::Auto => Some("auto"),
            Self::DontAsk => Some("dontAsk"),
            Self::Default => Some("default"),
        }
    }

    /// The mode after `sign`.
    pub(super) fn after(self, sign: Sign) -> Self {
        match (self, sign) {
            (_, Sign::PlanBegins) => Self::Plan,
            (_, Sign::AutoBegins) => Self::Auto,
            (_, Sign::NotAsked) => Self::DontAsk,
            (Self::Plan, Sign::PlanEnds) | (Self::Auto, Sign::AutoEnds) => Self::Unknown,
            (Self::Unknown | Self::Auto | Self::DontAsk | Self::Default, Sign::PlanEnds)
            | (Self::Unknown | Self::Plan | Self::DontAsk | Self::Default, Sign::AutoEnds)
            // In these modes some calls wait for the user too.
            | (Self::Plan | Self::Auto, Sign::NotGranted) => self,
            (Self::Unknown | Self::DontAsk | Self::Default, Sign::NotGranted) => Self::Default,
        }
    }
}

/// The signs in a text that stands between the messages.
pub(super) fn signs_between(text: &Words<'_>, signs: &mut Vec<Sign>) {
    if OF_MODE.iter().any(|pattern| text.contains(pattern)) {
        signs.extend(text.decoded().lines().filter_map(sign_of_line));
    }
}

/// The signs in a text of a user's message: only in one that the client has put there itself, and not in the one
/// with the user's own files.
pub(super) fn signs_in_reminder(text: &Words<'_>, signs: &mut Vec<Sign>) {
    if !is_reminder(text) || !OF_MODE.iter().any(|pattern| text.contains(pattern)) {
        return;
    }
    let decoded = text.decoded();
    let inner = decoded.trim().strip_prefix(REMINDER.0).and_then(|text| text.strip_suffix(REMINDER.1));
    if let Some(inner) = inner.filter(|inner| !inner.trim_start().starts_with(MEMORY_FILES)) {
        signs.extend(inner.lines().filter_map(sign_of_line));
    }
}

/// Whether the client has added this text to a user's message.
pub(super) fn is_reminder(text: &Words<'_>) -> bool {
    text.starts_with(REMINDER.0)
}

/// The sign in the result of a call that failed.
pub(super) fn sign_of_denial(text: &str) -> Option<Sign> {
    let is = |(begins, has): (&str, &str)| text.starts_with(begins) && text.contains(has);
    if is(NOT_ASKED) { Some(Sign::NotAsked) } else { is(NOT_GRANTED).then_some(Sign::NotGranted) }
}

fn sign_of_line(line: &str) -> Option<Sign> {
    if PLAN_BEGINS.iter().any(|pattern| line.starts_with(pattern)) {
        return Some(Sign::PlanBegins);
    }
    [(PLAN_ENDS, Sign::PlanEnds), (AUTO_BEGINS, Sign::AutoBegins), (AUTO_ENDS, Sign::AutoEnds)]
        .into_iter()
        .find_map(|(pattern, sign)| line.starts_with(pattern).then_some(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(signs: &[Sign]) -> Mode {
        signs.iter().fold(Mode::default(), |mode, &sign| mode.after(sign))
    }

    #[test]
    fn the_latest_sign_counts_and_a_refused_call_does_not_end_a_mode() {
        use Sign::*;
        assert_eq!(mode(&[]), Mode::Unknown);
        assert_eq!(mode(&[PlanBegins, NotGranted, PlanBegins]), Mode::Plan);
        assert_eq!(mode(&[PlanBegins, PlanEnds]), Mode::Unknown);
        assert_eq!(mode(&[PlanBegins, AutoBegins, PlanEnds]), Mode::Auto);
        assert_eq!(mode(&[AutoBegins, NotGranted]), Mode::Auto);
        assert_eq!(mode(&[AutoBegins, AutoEnds, NotGranted]), Mode::Default);
        assert_eq!(mode(&[NotAsked, PlanEnds, AutoEnds]), Mode::DontAsk);
        assert_eq!(mode(&[NotAsked, NotGranted]), Mode::Default);
    }

    #[test]
    fn a_mode_is_remembered_by_its_name() {
        for mode in [Mode::Plan, Mode::Auto, Mode::DontAsk, Mode::Default] {
            assert_eq!(Mode::named(&mode.name().unwrap()), mode);
        }
        assert_eq!((Mode::named("yolo"), Mode::Unknown.name()), (Mode::Unknown, None));
    }

    #[test]
    fn signs_begin_a_line_of_the_clients_own_texts() {
        let between = |text: &str| {
            let mut signs = Vec::new();
            signs_between(&Words::Decoded(text.into()), &mut signs);
            signs
        };
        let reminder = |text: &str| {
            let mut signs = Vec::new();
            signs_in_reminder(&Words::Decoded(text.into()), &mut signs);
            signs
        };
        let begins = "Plan mode is active. The user indicated that";
        assert_eq!(between(&format!("skills:\n- a\n{begins}")), [Sign::PlanBegins]);
        assert_eq!(between(&format!("1\t{begins}\n- {begins}")), []);
        assert_eq!(
            between("## Exited Plan Mode\nx\n## Auto Mode Active\n## Exited Auto Mode"),
            [Sign::PlanEnds, Sign::AutoBegins, Sign::AutoEnds]
        );
        let around = |text: &str| format!("<system-reminder>\n{text}\n</system-reminder>\n");
        assert_eq!(reminder(&around("Plan mode still active (see above).")), [Sign::PlanBegins]);
        assert_eq!(reminder(begins), [], "the user's own words");
        assert_eq!(reminder(&format!("{} and\n{begins}", around("x"))), [], "the user's own words behind");
        assert_eq!(reminder(&around(&format!("{MEMORY_FILES}\n{begins}"))), [], "the user's own files");
    }

    #[test]
    fn a_denial_begins_the_result() {
        let asks = "Claude requested permissions to write to /x, but you haven't granted it yet.";
        assert_eq!(sign_of_denial(asks), Some(Sign::NotGranted));
        assert_eq!(sign_of_denial(&format!("Exit code 1\n{asks}")), None);
        let denied =
            "Permission to use Bash has been denied because Claude Code is running in don't ask mode. x";
        assert_eq!(sign_of_denial(denied), Some(Sign::NotAsked));
    }
}
