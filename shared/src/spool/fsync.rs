//! When what was written is made durable.

use std::{fmt, str::FromStr, time::Duration};

use crate::daemon::units::parse_duration;

/// How often the writer calls fsync.
///
/// Whatever the policy, a crash of the *process* loses nothing that was written: the kernel has it.
/// Only the loss of power, or of the kernel, is a matter of policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fsync {
    /// Never. Power loss costs what the kernel had not yet written back, usually up to 30 seconds.
    None,
    /// When this long has passed since the first write that is not yet durable. Power loss costs that much.
    Every(Duration),
    /// After each batch. Power loss costs only what the proxy had not yet written.
    Each,
}

impl Default for Fsync {
    fn default() -> Self {
        Self::Every(Duration::from_secs(1))
    }
}

/// Not a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no fsync policy; use `none`, `each` or `every=TIME`, for example `every=1s` or `every=500ms`"
)]
pub struct ParseFsyncError(String);

impl FromStr for Fsync {
    type Err = ParseFsyncError;

    fn from_str(s: &str) -> Result<Self, ParseFsyncError> {
        let error = || ParseFsyncError(s.to_owned());
        match s {
            "none" => return Ok(Self::None),
            "each" => return Ok(Self::Each),
            _ => {}
        }
        let time = s.strip_prefix("every=").ok_or_else(error)?;
        match parse_duration(time) {
            Ok(interval) if !interval.is_zero() => Ok(Self::Every(interval)),
            _ => Err(error()),
        }
    }
}

impl fmt::Display for Fsync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Each => f.write_str("each"),
            Self::Every(time) => write!(f, "every={}ms", time.as_millis()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_reads_back_as_itself() {
        for (text, policy) in [
            ("none", Fsync::None),
            ("each", Fsync::Each),
            ("every=1s", Fsync::Every(Duration::from_secs(1))),
            ("every=250ms", Fsync::Every(Duration::from_millis(250))),
        ] {
            assert_eq!(text.parse(), Ok(policy));
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "every", "every=", "every=0s", "every=1w", "every=-1s", "always"] {
            assert!(text.parse::<Fsync>().is_err(), "{text}");
        }
    }
}
