//! What single values must be like.

use ccxray_shared::json::{
    Problem,
    problem::{listed, nearest},
};
use hyper::header::HeaderName;

use super::Located;
use crate::{
    consent::config::{secrets, template},
    deliver::{
        destination::{is_own_header, metrics_address},
        endpoint::{Endpoint, EndpointError},
    },
    measure::{Catalogue, Key, Metric},
};

/// The destination at `address`, a base URL, if requests with or without headers may go there.
pub(in crate::consent) fn check_address(address: &str, has_headers: bool) -> Result<Endpoint, &'static str> {
    let endpoint = Endpoint::read(&metrics_address(address)).map_err(|error| match error {
        EndpointError::NotAnAddress => {
            "this is not an http:// or https:// address; write, for example, http://localhost:4318"
        }
        EndpointError::UserInfo => "this holds a user name or a password; move them to `headers`, as ${NAME}",
    })?;
    let has_credentials = has_headers || endpoint.expose().query().is_some();
    if has_credentials && !endpoint.may_carry_credentials() {
        return Err("this is http:// to another machine, but headers or a query go with it; use https://");
    }
    Ok(endpoint)
}

pub(super) fn header_name(name: &str, value: &Located) -> Result<HeaderName, Problem> {
    let header: HeaderName = name.parse().map_err(|_| value.problem("this is not a header's name"))?;
    if is_own_header(&header) {
        return Err(value.problem("the exporter sets this header itself; remove it"));
    }
    let has_variable = template::variables(&value.text).next().is_some();
    let is_told = secrets::find(&value.text).is_some();
    if secrets::is_credential_header(name) && !has_variable && !is_told {
        return Err(value.problem("a credential belongs into a variable; write ${NAME}"));
    }
    Ok(header)
}

/// The budget of a metric's attribute; or whether the metric is at fault, and what is wrong.
pub(super) fn budget(metric: &str, attribute: &str) -> Result<(Metric, Key), (bool, String)> {
    let names = || Metric::ALL.iter().map(|metric| metric.name());
    let Some(&found) = Metric::ALL.iter().find(|known| known.name() == metric) else {
        let what = match nearest(metric, names()) {
            Some(meant) => format!("unknown metric; did you mean `{meant}`?"),
            None => "unknown metric; `ccxray-exporter metrics list` lists them".to_owned(),
        };
        return Err((true, what));
    };
    let budgets = &Catalogue::embedded().get(found).budgets;
    let key = budgets.keys().find(|key| key.as_str() == attribute);
    key.map(|key| (found, *key)).ok_or_else(|| {
        let known = listed(budgets.keys().map(|key| key.as_str()));
        let what = if known.is_empty() {
            "this metric has no budgets".to_owned()
        } else {
            format!("this attribute has no budget; those that have are {known}")
        };
        (false, what)
    })
}

/// `2026-01-31T12:00:00Z`, with a fraction or an offset if need be.
pub(super) fn is_rfc_3339(text: &str) -> bool {
    let Some((head, rest)) = text.split_at_checked(19) else { return false };
    let is_head = head.bytes().zip(*b"0000-00-00T00:00:00").all(|(found, form)| match form {
        b'0' => found.is_ascii_digit(),
        _ => found == form,
    });
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    let is_offset = |zone: &str| {
        zone.len() == 6
            && zone.bytes().zip(*b"+00:00").all(|(found, form)| match form {
                b'0' => found.is_ascii_digit(),
                b'+' => found == b'+' || found == b'-',
                _ => found == form,
            })
    };
    is_head && !rest.starts_with(".Z") && (zone == "Z" || is_offset(zone))
}

pub(super) fn is_root(text: &str) -> bool {
    let below = text.strip_prefix('/').or_else(|| text.strip_prefix("~/"));
    text == "~"
        || below.is_some_and(|below| {
            !below.is_empty() && !below.split('/').any(|part| part == ".." || part == ".")
        })
}
