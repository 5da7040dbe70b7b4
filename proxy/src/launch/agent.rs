//! What makes each agent send its requests here.
//!
//! Claude Code and Gemini CLI read an environment variable. Codex ignores `OPENAI_BASE_URL`; it takes the address as a
//! setting on its command line. Other programs are mostly written with the providers' own libraries, which read the
//! variables.

use std::{ffi::OsStr, path::Path};

use super::address::ProxyAddress;
use crate::route::{
    prefix::{self, MalformedStampError},
    stamp::Attribution,
};

/// The variables that name hosts for which no proxy of the environment is used.
const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];
/// The variables that name proxies which an agent may use to reach us. That it speaks plain HTTP to us does not spare
/// us the ones for HTTPS: Gemini CLI 0.61.0 sends everything through them.
const PROXIES: [&str; 6] =
    ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// A program that sends requests to providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agent {
    /// Claude Code.
    Claude,
    /// Codex CLI.
    Codex,
    /// Gemini CLI.
    Gemini,
    /// Something else.
    Other,
}

/// How an agent is led here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guidance {
    /// Variables of its environment.
    pub variables: Vec<(&'static str, String)>,
    /// What comes first on its command line.
    pub arguments: Vec<String>,
}

impl Agent {
    /// The agent that `program` is by its file name.
    pub fn of(program: &OsStr) -> Self {
        match Path::new(program).file_name().and_then(OsStr::to_str) {
            Some("claude") => Self::Claude,
            Some("codex") => Self::Codex,
            Some("gemini") => Self::Gemini,
            _ => Self::Other,
        }
    }

    /// What leads it to `proxy`, its requests stamped with `stamps`. `env` is the environment as it is.
    pub fn guidance(
        self,
        proxy: &ProxyAddress,
        stamps: &Attribution,
        env: &impl Fn(&str) -> Option<String>,
    ) -> Result<Guidance, MalformedStampError> {
        let anthropic = || Ok(("ANTHROPIC_BASE_URL", base_url(proxy, "anthropic", stamps)?));
        // The switch is Claude Code's: it says nothing of the others.
        let others = Attribution { agent_otel: false, ..stamps.clone() };
        let openai = || Ok(format!("{}/v1", base_url(proxy, "openai", &others)?));
        let gemini = || Ok(("GOOGLE_GEMINI_BASE_URL", base_url(proxy, "gemini", &others)?));
        let mut guidance = Guidance::default();
        match self {
            Self::Claude => guidance.variables.push(anthropic()?),
            Self::Gemini => guidance.variables.push(gemini()?),
            Self::Codex => {
                let setting = format!("openai_base_url=\"{}\"", openai()?);
                guidance.arguments.extend(["-c".to_owned(), setting]);
            }
            Self::Other => {
                guidance.variables.extend([anthropic()?, ("OPENAI_BASE_URL", openai()?), gemini()?]);
            }
        }
        guidance.variables.extend(past_other_proxies(proxy, env));
        Ok(guidance)
    }
}

fn base_url(
    proxy: &ProxyAddress,
    upstream: &str,
    stamps: &Attribution,
) -> Result<String, MalformedStampError> {
    Ok(format!("{proxy}{}", prefix::write(upstream, stamps)?))
}

/// Where the environment names a proxy, that proxy would be asked for our address, which only this machine knows.
fn past_other_proxies(
    proxy: &ProxyAddress,
    env: &impl Fn(&str) -> Option<String>,
) -> Vec<(&'static str, String)> {
    if PROXIES.iter().all(|name| env(name).unwrap_or_default().is_empty()) {
        return Vec::new();
    }
    let known =
        NO_PROXY.iter().filter_map(|name| env(name)).find(|list| !list.is_empty()).unwrap_or_default();
    let is_host = |entry: &str| matches!(entry.trim(), "*") || entry.trim() == proxy.host();
    if known.split(',').any(is_host) {
        return Vec::new();
    }
    let list = if known.is_empty() { proxy.host().to_owned() } else { format!("{known},{}", proxy.host()) };
    NO_PROXY.map(|name| (name, list.clone())).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `/home/u/p`, encoded with coreutils' `basenc --base64url`.
    const DIR: &str = "L2hvbWUvdS9w";

    fn guidance(program: &str, env: &[(&str, &str)]) -> Guidance {
        let stamps = Attribution { dir: Some("/home/u/p".into()), tier_cap: Some(0), agent_otel: true };
        let env = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let proxy = "http://127.0.0.1:5588".parse().unwrap();
        Agent::of(OsStr::new(program)).guidance(&proxy, &stamps, &env).unwrap()
    }

    fn url(upstream: &str, more: &str) -> String {
        format!("http://127.0.0.1:5588/_ccxray/{upstream}/dir/{DIR}/tier/0{more}")
    }

    #[test]
    fn each_agent_is_led_by_what_it_heeds() {
        let only = |name, value| Guidance { variables: vec![(name, value)], arguments: Vec::new() };
        assert_eq!(guidance("claude", &[]), only("ANTHROPIC_BASE_URL", url("anthropic", "/agent-otel/1/-")));
        assert_eq!(guidance("/opt/x/gemini", &[]), only("GOOGLE_GEMINI_BASE_URL", url("gemini", "/-")));
        let codex = guidance("./codex", &[]);
        let setting = format!("openai_base_url=\"{}\"", url("openai", "/-/v1"));
        assert_eq!((codex.variables, codex.arguments), (vec![], vec!["-c".to_owned(), setting]));
    }

    #[test]
    fn any_other_program_gets_all_the_variables() {
        let other = guidance("claude-wrapper.sh", &[]);
        let expected = [
            ("ANTHROPIC_BASE_URL", url("anthropic", "/agent-otel/1/-")),
            ("OPENAI_BASE_URL", url("openai", "/-/v1")),
            ("GOOGLE_GEMINI_BASE_URL", url("gemini", "/-")),
        ];
        assert_eq!(other, Guidance { variables: expected.into(), arguments: vec![] });
    }

    #[test]
    fn another_proxy_is_told_to_keep_out() {
        let no_proxy = |env: &[_]| {
            let variables = guidance("codex", env).variables;
            variables.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
        };
        let company = ("HTTP_PROXY", "http://proxy.example:3128");
        let for_https = ("HTTPS_PROXY", "http://proxy.example:3128");
        for proxy in [company, for_https] {
            assert_eq!(no_proxy(&[proxy]), ["NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1"]);
        }
        assert_eq!(
            no_proxy(&[company, ("no_proxy", "a.example")]),
            ["NO_PROXY=a.example,127.0.0.1", "no_proxy=a.example,127.0.0.1"]
        );
        assert!(no_proxy(&[company, ("NO_PROXY", "localhost, 127.0.0.1")]).is_empty());
        assert!(no_proxy(&[]).is_empty());
    }
}
