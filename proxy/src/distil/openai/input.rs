//! The items of a request: their count, the tool results and skills that are new, how the conversation opens and what
//! it ends with.

use std::borrow::Cow;

use ccxray_shared::{Name, entry::ToolCall};
use serde::{Deserialize, de::SeqAccess};
use serde_json::value::RawValue;

use super::{
    effects, outcome,
    skills::{self, Mention, Passthrough},
    wording::{DIR, SUMMARY, SUMMARY_ASKED, SURROUNDINGS},
};
use crate::distil::{
    calls::{self, Called},
    lax::{Lax, Shape, object},
    results::Reported,
    words::Words,
};

/// What is kept of a request's items, borrowed from its body.
#[derive(Default)]
pub(super) struct Input<'a> {
    /// How many items.
    pub(super) items: u32,
    /// The outputs behind the last item that the model made.
    fresh: Vec<CallOutput<'a>>,
    calls: Vec<Call<'a>>,
    /// The content of the first message of the user's side, and of the last one.
    pub(super) first_text: Option<&'a RawValue>,
    last_text: Option<&'a RawValue>,
    /// The contents of the user's side before the model's first item.
    opening: Vec<&'a RawValue>,
    /// The messages of the user's side behind the model's last item.
    asked: Vec<Message<'a>>,
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
    namespace: Option<Cow<'a, str>>,
    script: Option<&'a RawValue>,
}

/// A message of the user's side.
struct Message<'a> {
    id: Option<Cow<'a, str>>,
    content: &'a RawValue,
    passthrough: Passthrough<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Item<'a> {
    #[serde(borrow, rename = "type")]
    kind: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    role: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    id: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    name: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    namespace: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    call_id: Lax<Cow<'a, str>>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
    #[serde(borrow, rename = "internal_chat_message_metadata_passthrough")]
    passthrough: Lax<Passthrough<'a>>,
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
            (Some("message") | None, Some("user")) => self.add_user(item),
            (Some(kind), _) if is_call(kind) => self.add_call(item),
            (Some(kind), _) if kind.ends_with("_output") => {
                let call = item.call_id.0.unwrap_or_default();
                self.fresh.push(CallOutput { call, output: item.output });
            }
            // Instructions, tools, summaries.
            _ => {}
        }
    }

    fn add_user(&mut self, item: Item<'a>) {
        let Some(content) = item.content else { return };
        if !self.answered {
            self.opening.push(content);
        }
        self.first_text = self.first_text.or(Some(content));
        self.last_text = Some(content);
        let passthrough = item.passthrough.0.unwrap_or_default();
        self.asked.push(Message { id: item.id.0, content, passthrough });
        if texts(content).next().is_some_and(|text| text.starts_with(SUMMARY)) {
            // What is kept of the conversation before it, the model has seen.
            self.asked.clear();
        }
    }

    /// What was reported before, the model has seen.
    fn model_went_on(&mut self) {
        self.fresh.clear();
        self.asked.clear();
        self.answered = true;
    }

    fn add_call(&mut self, item: Item<'a>) {
        self.model_went_on();
        let name = item.name.0.or(item.kind.0);
        if let (Some(id), Some(name)) = (item.call_id.0, name) {
            self.calls.push(Call { id, name, namespace: item.namespace.0, script: item.input });
        }
    }

    /// The results that are new.
    pub(super) fn results(&self) -> impl Iterator<Item = Reported<'_>> {
        self.fresh.iter().map(|result| Reported {
            call: Cow::Borrowed(&result.call),
            failed: result.output.is_some_and(outcome::is_failure),
        })
    }

    /// The tool that was called under `id`, as its failure is reported.
    pub(super) fn tool_called(&self, id: &str) -> Option<Called> {
        self.calls.iter().rev().find(|call| call.id == id).map(Call::called)
    }

    /// The skills that the user calls for and the model has not seen.
    pub(super) fn mentions(&self) -> impl Iterator<Item = Mention<'_>> {
        self.asked.iter().flat_map(|message| {
            let id = message.id.as_deref();
            skills::mentions(texts(message.content), &message.passthrough)
                .map(move |name| Mention { message: id, name })
        })
    }

    /// Whether it ends with the question for a summary.
    pub(super) fn asks_for_summary(&self) -> bool {
        let last = self.last_text.and_then(|content| texts(content).last());
        last.is_some_and(|text| text.starts_with(SUMMARY_ASKED))
    }

    /// The last text of the user's side.
    pub(super) fn prompt(&self) -> Option<Words<'a>> {
        self.last_text.and_then(|content| texts(content).last())
    }

    /// The one directory that Codex states of its surroundings; none if it states two.
    pub(super) fn stated_dir(&self) -> Option<String> {
        let surroundings = self
            .opening
            .iter()
            .flat_map(|content| texts(content))
            .filter(|text| text.starts_with(SURROUNDINGS));
        let dirs: Vec<_> =
            surroundings.filter_map(|text| dir_in(&text.decoded()).map(str::to_owned)).collect();
        let (first, others) = dirs.split_first()?;
        (first.starts_with('/') && others.iter().all(|other| other == first)).then(|| first.clone())
    }
}

impl Call<'_> {
    /// The tool as its failure is reported.
    fn called(&self) -> Called {
        let script = self.script.and_then(|json| serde_json::from_str::<String>(json.get()).ok());
        let namespace = self.namespace.as_deref().map(|namespace| Name::from_wire(namespace).into_owned());
        let mut call = ToolCall { namespace, ..calls::plain(&self.name) };
        effects::add(&effects::Input { text: script.as_deref(), ..effects::Input::default() }, &mut call);
        effects::called(&call)
    }
}

/// The texts of a message: its parts', or the only one.
fn texts(content: &RawValue) -> impl Iterator<Item = Words<'_>> {
    let parts = serde_json::from_str::<Lax<Vec<Lax<Part<'_>>>>>(content.get());
    let parts = parts.ok().and_then(|parts| parts.0).unwrap_or_default();
    let only = content.get().starts_with('"').then_some(Words::Raw(content));
    let texts = parts.into_iter().filter_map(|part| part.0?.text).map(Words::Raw);
    only.into_iter().chain(texts)
}

fn dir_in(surroundings: &str) -> Option<&str> {
    let (_, behind) = surroundings.split_once(DIR.0)?;
    behind.split_once(DIR.1).map(|(dir, _)| dir)
}
