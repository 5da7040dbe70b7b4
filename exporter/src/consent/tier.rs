//! The tiers of consent, and what the statements of a project and of a person come to.

use std::fmt;

/// How much may leave the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Nothing.
    Disabled,
    /// Figures of a project, under no name but the project's. Pseudonymous: a series still is one installation's.
    Anonymous,
    /// The same, with the name that a person chose.
    Named,
}

impl Tier {
    /// The number, as files and options write it.
    pub const fn number(self) -> u8 {
        match self {
            Self::Disabled => 0,
            Self::Anonymous => 1,
            Self::Named => 2,
        }
    }

    /// The tier with this number.
    pub const fn from_number(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::Disabled),
            1 => Some(Self::Anonymous),
            2 => Some(Self::Named),
            _ => None,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Anonymous => "anonymous",
            Self::Named => "named",
        }
    }
}

/// As the startup line says it: `1 (anonymous)`.
impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.number(), self.word())
    }
}

/// What two statements come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effective {
    /// The tier.
    pub tier: Tier,
    /// Whether the person would have agreed to more than the project allows.
    pub is_clamped: bool,
}

/// The tier that a project's and a person's statement come to: the lower one. Who says nothing lowers nothing; if nobody
/// says anything, nothing may leave.
pub fn effective(project: Option<Tier>, personal: Option<Tier>) -> Effective {
    let tier = match (project, personal) {
        (None, None) => Tier::Disabled,
        (Some(tier), None) | (None, Some(tier)) => tier,
        (Some(project), Some(personal)) => project.min(personal),
    };
    let is_clamped = project.is_some_and(|project| personal.is_some_and(|personal| personal > project));
    Effective { tier, is_clamped }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_sixteen_pairs_come_to_the_lower_tier() {
        const ROWS: [(i8, [u8; 4]); 4] = [
            // project ↓, personal →  —  0  1  2
            (-1, [0, 0, 1, 2]),
            (0, [0, 0, 0, 0]),
            (1, [1, 0, 1, 1]),
            (2, [2, 0, 1, 2]),
        ];
        let stated = |n: i8| u64::try_from(n).ok().and_then(Tier::from_number);
        for (project, row) in ROWS {
            for (personal, expected) in (-1..).zip(row) {
                let effective = effective(stated(project), stated(personal));
                assert_eq!(effective.tier.number(), expected, "project {project}, personal {personal}");
                assert_eq!(effective.is_clamped, project >= 0 && personal > project);
            }
        }
    }
}
