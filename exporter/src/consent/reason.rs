//! Why nothing is sent.

use std::{fmt, path::PathBuf};

use super::place::Refused;

/// Why nothing is sent of some exchanges. Printed for the person whose machine it is: it may hold paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// They have no project's file, and the exporter was started without a tier.
    NoTier,
    /// The exporter was started with tier 0.
    SwitchedOff,
    /// Neither the project nor the person says anything.
    NobodySaid,
    /// This file says 0.
    Tier0(PathBuf),
    /// Nobody names an endpoint.
    NoEndpoint,
    /// `DO_NOT_TRACK` is set, and the person's file does not say otherwise.
    DoNotTrack,
    /// OpenTelemetry is switched off in the environment.
    SdkDisabled,
    /// The environment's destination is misconfigured.
    Environment(String),
    /// The directory is not a plain absolute path.
    OddDirectory,
    /// The directory, in a trusted place, cannot be looked at.
    Unseen(PathBuf),
    /// It lies where looking would mount something.
    Automount(PathBuf),
    /// A project's file that nobody trusts.
    NotTrusted(PathBuf),
    /// A trusted file is another one by now.
    Changed(PathBuf),
    /// A trusted file is gone.
    Vanished(PathBuf),
    /// A file that is not read.
    Refused(PathBuf, Refused),
    /// A file with mistakes, one line each.
    Broken(String),
    /// The user's own file, or what he trusts, is no good any more.
    Own(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTier => f.write_str("no tier was given"),
            Self::SwitchedOff => f.write_str("the exporter runs with tier 0"),
            Self::NobodySaid => f.write_str("neither the project nor you state a tier"),
            Self::Tier0(file) => write!(f, "`{}` says tier 0", file.display()),
            Self::NoEndpoint => f.write_str("no endpoint is configured; set OTEL_EXPORTER_OTLP_ENDPOINT"),
            Self::DoNotTrack => f.write_str("DO_NOT_TRACK is set"),
            Self::SdkDisabled => f.write_str("the OTEL_* variables switch metrics off"),
            Self::Environment(error) | Self::Broken(error) | Self::Own(error) => f.write_str(error),
            Self::OddDirectory => f.write_str("the directory is not a plain absolute path"),
            Self::Unseen(dir) => write!(f, "`{}` is not there or cannot be looked at", dir.display()),
            Self::Automount(dir) => write!(f, "`{}` would be mounted by looking at it", dir.display()),
            Self::NotTrusted(file) => {
                write!(f, "`{}` is not trusted; read it, then run `ccxray-exporter trust`", file.display())
            }
            Self::Changed(file) => {
                write!(f, "`{}` has changed; read it, then run `ccxray-exporter trust` again", file.display())
            }
            Self::Vanished(file) => {
                write!(f, "`{}` is gone; run `ccxray-exporter trust` or `untrust` again", file.display())
            }
            Self::Refused(file, why) => write!(f, "`{}` is not read: {why}", file.display()),
        }
    }
}
