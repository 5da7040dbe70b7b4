//! The items of a request: their count, the tool results that are new, and how the conversation opens.

use std::borrow::Cow;

use serde::{Deserialize, de::SeqAccess};
use serde_json::value::RawValue;

use super::outcome;
use crate::distil::{
    lax::{Lax, Shape, object},
    results::Reported,
    words::Words,
};

/// How the text begins in which Codex states its surroundings, and what stands around the directory in it.
const SURROUNDINGS: &str = "<environment_context>";
const DIR: (&str, &str) = ("<cwd>", "</cwd>");

/// What is kept of a request's items, borrowed from its body.
#[derive(Default)]
pub(super) struct Input<'a> {
    /// How many items.
    pub(super) items: u32,
    /// The outputs behind the last item that the model made.
    fresh: Vec<CallOutput<'a>>,
    calls: Vec<Call<'a>>,
    /// The content of the first message of the user's side.
    pub(super) first_text: Option<&'a RawValue>,
    /// The contents of the user's side before the model's first item.
    opening: Vec<&'a RawValue>,
    /// Whether the model has made an item.
    answered: bool,
}

struct CallOutput<'a> {
    call: Cow<'a, str>,
    output: Option<&'a RawValue>,
}

struct Call<'a> {
    id: Cow<'a, str>,
    name: Cow<'a, str>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Item<'a> {
    #[serde(borrow, rename = "type")]
    kind: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    role: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    name: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    call_id: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Part<'a> {
    #[serde(borrow)]
    text: Option<&'a RawValue>,
}

object!(Item<'a>, Part<'a>);

impl<'de: 'a, 'a> Shape<'de> for Input<'a> {
    fn from_text(_: Cow<'de, str>) -> Option<Self> {
        Some(Self { items: 1, ..Self::default() })
    }

    fn from_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Option<Self>, A::Error> {
        let mut input = Self::default();
        while let Some(item) = seq.next_element::<Lax<Item<'a>>>()? {
            input.add(item.0.unwrap_or_default());
        }
        Ok(Some(input))
    }
}

impl<'a> Input<'a> {
    fn add(&mut self, item: Item<'a>) {
        self.items = self.items.saturating_add(1);
        let is_call = |kind: &str| kind.ends_with("_call");
        match (item.kind.0.as_deref(), item.role.0.as_deref()) {
            (Some("reasoning"), _) | (Some("message") | None, Some("assistant")) => self.model_went_on(),
            (Some("message") | None, Some("user")) => self.add_user(item.content),
            (Some(kind), _) if is_call(kind) => self.add_call(item),
            (Some(kind), _) if kind.ends_with("_output") => {
                let call = item.call_id.0.unwrap_or_default();
                self.fresh.push(CallOutput { call, output: item.output });
            }
            // Instructions, tools, summaries.
            _ => {}
        }
    }

    fn add_user(&mut self, content: Option<&'a RawValue>) {
        if !self.answered {
            self.opening.extend(content);
        }
        self.first_text = self.first_text.or(content);
    }

    /// What was reported before, the model has seen.
    fn model_went_on(&mut self) {
        self.fresh.clear();
        self.answered = true;
    }

    fn add_call(&mut self, item: Item<'a>) {
        self.model_went_on();
        let name = item.name.0.or(item.kind.0);
        if let (Some(id), Some(name)) = (item.call_id.0, name) {
            self.calls.push(Call { id, name });
        }
    }

    /// The results that are new.
    pub(super) fn results(&self) -> impl Iterator<Item = Reported<'_>> {
        self.fresh.iter().map(|result| {
            let failed = result.output.is_some_and(outcome::is_failure);
            let call = failed.then(|| self.calls.iter().rev().find(|call| call.id == result.call));
            Reported {
                call: Cow::Borrowed(&result.call),
                failed,
                tool: call.flatten().map(|call| Cow::Borrowed(&*call.name)),
            }
        })
    }

    /// The one directory that Codex states of its surroundings; none if it states two.
    pub(super) fn stated_dir(&self) -> Option<String> {
        let dirs: Vec<_> = self.opening.iter().flat_map(|content| stated_dirs(content)).collect();
        let (first, others) = dirs.split_first()?;
        (first.starts_with('/') && others.iter().all(|other| other == first)).then(|| first.clone())
    }
}

fn stated_dirs(content: &RawValue) -> Vec<String> {
    let Ok(Lax(Some(parts))) = serde_json::from_str::<Lax<Vec<Lax<Part<'_>>>>>(content.get()) else {
        return Vec::new();
    };
    let texts = parts.iter().filter_map(|part| part.0.as_ref()?.text).map(Words::Raw);
    let surroundings = texts.filter(|text| text.starts_with(SURROUNDINGS));
    surroundings.filter_map(|text| dir_in(&text.decoded()).map(str::to_owned)).collect()
}

fn dir_in(surroundings: &str) -> Option<&str> {
    let (_, behind) = surroundings.split_once(DIR.0)?;
    behind.split_once(DIR.1).map(|(dir, _)| dir)
}
