//! What the answer to an upgrade says that both sides have agreed on: the header `sec-websocket-extensions`.

use super::Fault;

/// `permessage-deflate` (RFC 7692), as agreed on. How large the windows are does not matter to a reader whose own is
/// the largest that there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deflate {
    /// Each message of the client is compressed on its own.
    pub client_no_context_takeover: bool,
    /// Each message of the server is.
    pub server_no_context_takeover: bool,
}

/// What these values of the header agree on: compression, or nothing.
pub fn agreed<'a>(values: impl IntoIterator<Item = &'a str>) -> Result<Option<Deflate>, Fault> {
    let extensions = values.into_iter().flat_map(|value| value.split(','));
    let mut extensions = extensions.map(str::trim).filter(|extension| !extension.is_empty());
    let Some(first) = extensions.next() else { return Ok(None) };
    if extensions.next().is_some() {
        return Err(Fault::UnknownExtension);
    }
    deflate(first).map(Some)
}

fn deflate(extension: &str) -> Result<Deflate, Fault> {
    let mut words = extension.split(';').map(|word| word.split('=').next().unwrap_or_default().trim());
    if !words.next().is_some_and(|name| name.eq_ignore_ascii_case("permessage-deflate")) {
        return Err(Fault::UnknownExtension);
    }
    let mut agreed = Deflate::default();
    for parameter in words {
        match parameter.to_ascii_lowercase().as_str() {
            "client_no_context_takeover" => agreed.client_no_context_takeover = true,
            "server_no_context_takeover" => agreed.server_no_context_takeover = true,
            "client_max_window_bits" | "server_max_window_bits" => {}
            _ => return Err(Fault::UnknownExtension),
        }
    }
    Ok(agreed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compression_is_agreed_on_with_its_parameters() {
        let deflate = |client_no_context_takeover, server_no_context_takeover| {
            Ok(Some(Deflate { client_no_context_takeover, server_no_context_takeover }))
        };
        assert_eq!(agreed([]), Ok(None));
        assert_eq!(agreed([""]), Ok(None));
        assert_eq!(agreed(["permessage-deflate"]), deflate(false, false));
        assert_eq!(
            agreed(["Permessage-Deflate; client_no_context_takeover;server_max_window_bits=10"]),
            deflate(true, false)
        );
        assert_eq!(
            agreed(["permessage-deflate; server_no_context_takeover ; client_max_window_bits=\"12\""]),
            deflate(false, true)
        );
    }

    #[test]
    fn what_else_is_agreed_on_is_not_understood() {
        for unknown in [
            &["x-webkit-deflate-frame"][..],
            &["permessage-deflate; secret"],
            &["permessage-deflate, permessage-deflate"],
            &["permessage-deflate", "mux"],
        ] {
            assert_eq!(agreed(unknown.iter().copied()), Err(Fault::UnknownExtension), "{unknown:?}");
        }
    }
}
