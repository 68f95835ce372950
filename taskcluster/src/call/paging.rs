//! Fetching all pages of an endpoint: the stream of pages, the stream of items, and what they share.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::stream::try_unfold;
use serde_core::de::{
    DeserializeOwned, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::Deserializer;

use super::answer::{Answer, decode_by};
use super::noting::{decode_noting, next_text};
use super::request::Request;
use super::send::send;
use crate::error::{Error, Result};
use crate::model::{Missing, Reading, Strictness};
use crate::reference::Paging;

/// A stream of the pages of a call, fetched one by one as it is polled. It ends after the first error.
#[must_use = "nothing is sent until the stream is polled"]
pub struct Pages<T>(Pin<Box<dyn Stream<Item = Result<T>> + Send>>);

impl<T: DeserializeOwned + Send + 'static> Pages<T> {
    pub(super) fn new(request: Request, max_pages: usize) -> Self {
        Self(Box::pin(try_unfold(Pager::new(request, max_pages), async |mut pager| {
            let Some(answer) = pager.fetch().await? else { return Ok(None) };
            Ok(Some((pager.turn_whole(&answer)?, pager)))
        })))
    }
}

/// A stream of the items of all pages of a call.
///
/// It fetches a page when all items of the previous one have been yielded, and ends after the first error.
#[must_use = "nothing is sent until the stream is polled"]
pub struct Items<T>(Pin<Box<dyn Stream<Item = Result<T>> + Send>>);

impl<T: DeserializeOwned + Send + 'static> Items<T> {
    /// `promised` is whether `T` is the type that the reference promises.
    pub(super) fn new(request: Request, max_pages: usize, promised: bool) -> Self {
        let start = (Pager::new(request, max_pages), promised, VecDeque::new());
        Self(Box::pin(try_unfold(start, async |(mut pager, promised, mut items)| {
            loop {
                if let Some(item) = items.pop_front() {
                    return Ok(Some((item, (pager, promised, items))));
                }
                match pager.fetch().await? {
                    Some(answer) => {
                        let strictness =
                            if promised { answer.strictness() } else { Strictness::Answer };
                        items = match pager.turn_items(&answer, strictness)? {
                            Some(items) => items.into(),
                            None => pager.no_list(&answer, strictness)?,
                        };
                    }
                    None => return Ok(None),
                }
            }
        })))
    }
}

impl<T> Stream for Pages<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        self.0.as_mut().poll_next(context)
    }
}

impl<T> Stream for Items<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        self.0.as_mut().poll_next(context)
    }
}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").finish_non_exhaustive()
    }
}

/// Fetches one page after the other.
struct Pager {
    request: Request,
    /// `None` before the first page.
    token: Option<String>,
    /// All tokens so far.
    seen: HashSet<String>,
    pages_left: usize,
}

impl Pager {
    fn new(request: Request, max_pages: usize) -> Self {
        Self { request, token: None, seen: HashSet::new(), pages_left: max_pages }
    }

    fn paging(&self) -> Result<Paging> {
        let endpoint = self.request.endpoint;
        endpoint.paging.ok_or_else(|| Error::input(format!("{} is not paged", endpoint.name)))
    }

    async fn fetch(&mut self) -> Result<Option<Answer>> {
        let paging = self.paging()?;
        if self.pages_left == 0 {
            return Ok(None);
        }
        self.pages_left -= 1;
        if let Some(token) = &self.token {
            match paging.query {
                Some(option) => self.request.set_query(option, token),
                None => self.request.set_property(paging.token, token)?,
            }
        }
        send(&self.request).await.map(Some)
    }

    /// Decodes a page, and remembers the token of the next one.
    fn turn_whole<T: DeserializeOwned>(&mut self, answer: &Answer) -> Result<T> {
        let paging = self.paging()?;
        let read = |json| decode_noting(json, paging.token);
        let (page, noted) = decode_by(answer, answer.strictness(), read)?;
        match noted {
            Some(token) => self.remember(token, answer)?,
            None => drop(self.turn_items::<IgnoredAny>(answer, Strictness::Answer)?),
        }
        Ok(page)
    }

    /// Decodes a page's items, if it has a list of them, and remembers the token of the next page.
    fn turn_items<I: DeserializeOwned>(
        &mut self,
        answer: &Answer,
        strictness: Strictness,
    ) -> Result<Option<Vec<I>>> {
        let paging = self.paging()?;
        let mut wrong = None;
        let seed = PageSeed { paging, wrong: &mut wrong, item: PhantomData };
        let mut json = Deserializer::from_str(answer.json()?);
        let reading = Reading::begin(strictness);
        let page = seed.deserialize(&mut json).and_then(|page| json.end().map(|()| page));
        answer.warn(&reading.end());
        let page = page.map_err(|error| {
            let place = wrong.map(|index| format!("{}[{index}]: ", paging.items));
            answer.undecodable(error, &place.unwrap_or_default())
        })?;
        self.remember(page.token, answer)?;
        Ok(page.items)
    }

    fn remember(&mut self, token: Option<String>, answer: &Answer) -> Result<()> {
        let token = token.filter(|token| !token.is_empty());
        if token.as_ref().is_some_and(|token| !self.seen.insert(token.clone())) {
            let error =
                Error::answer("the service named the same page twice; paging would never end");
            return Err(answer.error(error));
        }
        if token.is_none() {
            self.pages_left = 0;
        }
        self.token = token;
        Ok(())
    }

    /// Handles a page without its list of items like any other missing property: as an empty list, or as an error.
    fn no_list<I>(&self, answer: &Answer, strictness: Strictness) -> Result<VecDeque<I>> {
        let property = self.paging()?.items;
        if strictness != Strictness::Corrected {
            return Err(answer.error(Error::answer(format!(
                "the response does not have the expected shape: `{property}` is missing"
            ))));
        }
        let of = self.request.endpoint.output.unwrap_or_default();
        answer.warn(&[Missing { of, property }]);
        Ok(VecDeque::new())
    }
}

/// The parts of a page that matter here: its items and the token of the next page.
struct Page<I> {
    token: Option<String>,
    /// `None` if the page has no such property.
    items: Option<Vec<I>>,
}

/// Decodes a page whose property names are known only at run time.
struct PageSeed<'a, I> {
    paging: Paging,
    /// Set to the index of an item that cannot be decoded.
    wrong: &'a mut Option<usize>,
    item: PhantomData<fn() -> I>,
}

impl<'de, I: DeserializeOwned> DeserializeSeed<'de> for PageSeed<'_, I> {
    type Value = Page<I>;

    fn deserialize<D: serde_core::Deserializer<'de>>(self, from: D) -> Result<Page<I>, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de, I: DeserializeOwned> Visitor<'de> for PageSeed<'_, I> {
    type Value = Page<I>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a page with `{}`", self.paging.items)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Page<I>, A::Error> {
        let (mut token, mut items) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            if key == self.paging.items {
                let seed = ItemsSeed { wrong: &mut *self.wrong, item: PhantomData };
                items = Some(map.next_value_seed(seed)?);
            } else if key == self.paging.token {
                token = next_text(&mut map, self.paging.token)?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Page { token, items })
    }
}

/// Decodes the items of a page.
struct ItemsSeed<'a, I> {
    wrong: &'a mut Option<usize>,
    item: PhantomData<fn() -> I>,
}

impl<'de, I: DeserializeOwned> DeserializeSeed<'de> for ItemsSeed<'_, I> {
    type Value = Vec<I>;

    fn deserialize<D: serde_core::Deserializer<'de>>(self, from: D) -> Result<Vec<I>, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de, I: DeserializeOwned> Visitor<'de> for ItemsSeed<'_, I> {
    type Value = Vec<I>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<I>, A::Error> {
        let mut items = Vec::new();
        loop {
            match list.next_element() {
                Ok(Some(item)) => items.push(item),
                Ok(None) => return Ok(items),
                Err(error) => {
                    *self.wrong = Some(items.len());
                    return Err(error);
                }
            }
        }
    }
}
