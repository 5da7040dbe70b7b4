//! Who a pipeline is, to its destination.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// What may stand in a resource at tier 1 beside our own attributes: nothing that names a person, a machine or a
/// place.
pub const ANONYMOUS_ATTRIBUTES: &[&str] = &["project.name", "team", "deployment.environment.name"];

/// A random id of an install and pipeline, in the form of a UUID. It stays the same over restarts and is made anew
/// whenever the series start from zero.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstanceId(String);

impl InstanceId {
    /// The id of these random bits.
    pub fn from_bits(bits: u128) -> Self {
        // Version 4, variant 1 of RFC 9562.
        let bits = (bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
        let hex = format!("{bits:032x}");
        Self(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
    }
}

/// What makes a pipeline this pipeline: with another destination, tier or resource it would be another one, with
/// other totals.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PipelineKey {
    /// Where to; the local pipeline has none.
    pub destination: Option<String>,
    /// With which consent.
    pub tier: u8,
    /// The attributes of the user's that go along.
    pub attributes: BTreeMap<String, String>,
}

/// Attributes are named only: what they hold may have come from a variable.
impl fmt::Debug for PipelineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attributes: Vec<&String> = self.attributes.keys().collect();
        let (destination, tier) = (&self.destination, self.tier);
        let mut key = f.debug_struct("PipelineKey");
        key.field("destination", destination).field("tier", &tier).field("attributes", &attributes).finish()
    }
}

impl PipelineKey {
    /// The pipeline of the local page, which sends nothing anywhere.
    pub fn local() -> Self {
        Self { destination: None, tier: 0, attributes: BTreeMap::new() }
    }
}

/// Who a pipeline is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// What makes it.
    pub key: PipelineKey,
    /// Its own id.
    pub instance: InstanceId,
}

impl Identity {
    /// The resource as it is sent. Ours win over the user's.
    pub fn resource(&self) -> BTreeMap<String, String> {
        let mut resource = self.key.attributes.clone();
        for (key, value) in [
            ("service.name", "ccxray"),
            ("service.version", env!("CARGO_PKG_VERSION")),
            ("service.instance.id", &self.instance.0),
            ("ccxray.source", "ccxray-proxy"),
        ] {
            resource.insert(key.to_owned(), value.to_owned());
        }
        resource
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_id_is_a_random_uuid() {
        assert_eq!(InstanceId::from_bits(0).0, "00000000-0000-4000-8000-000000000000");
        assert_eq!(InstanceId::from_bits(u128::MAX).0, "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }

    #[test]
    fn our_own_attributes_cannot_be_overridden() {
        let attributes = BTreeMap::from([
            ("service.name".to_owned(), "mine".to_owned()),
            ("team".to_owned(), "a".to_owned()),
        ]);
        let key = PipelineKey { attributes, ..PipelineKey::local() };
        let resource = Identity { key, instance: InstanceId::from_bits(1) }.resource();
        assert_eq!(resource["service.name"], "ccxray");
        assert_eq!(resource["team"], "a");
        assert_eq!(resource.len(), 5);
    }
}
