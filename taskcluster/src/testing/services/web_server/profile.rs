//! A profile for the Firefox Profiler: marks on a time line.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// Its only thread.
pub(super) struct Profile {
    product: String,
    thread: String,
    start: i64,
    texts: Vec<String>,
    /// Where a text is among them.
    places: HashMap<String, usize>,
    marks: Vec<Mark>,
}

/// A mark at a time or, with an end, over some time; in milliseconds since 1970.
struct Mark {
    name: usize,
    start: i64,
    end: Option<i64>,
    data: Value,
}

impl Profile {
    /// Creates a profile that begins at this time.
    pub(super) fn new(product: String, thread: &str, start: Option<DateTime<Utc>>) -> Self {
        let start = start.map_or(0, |start| start.timestamp_millis());
        Self {
            product,
            thread: thread.to_owned(),
            start,
            texts: Vec::new(),
            places: HashMap::new(),
            marks: Vec::new(),
        }
    }

    /// Returns the number by which marks refer to a text.
    pub(super) fn text(&mut self, text: &str) -> usize {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        self.places.insert(text.to_owned(), self.texts.len());
        self.texts.push(text.to_owned());
        self.texts.len() - 1
    }

    pub(super) fn mark(
        &mut self,
        name: &str,
        start: DateTime<Utc>,
        end: Option<DateTime<Utc>>,
        data: Value,
    ) {
        let name = self.text(name);
        let (start, end) = (start.timestamp_millis(), end.map(|end| end.timestamp_millis()));
        self.marks.push(Mark { name, start, end, data });
    }

    /// The profile in version 47 of the profiler's processed format.
    pub(super) fn to_json(&self) -> Value {
        let of_marks = |value: fn(&Self, &Mark) -> Value| {
            self.marks.iter().map(|mark| value(self, mark)).collect::<Value>()
        };
        let end = self.marks.iter().filter_map(|mark| mark.end).max();
        json!({
            "meta": {
                "interval": 1, "startTime": self.start, "processType": 0, "product": self.product,
                "stackwalk": 0, "version": 27, "preprocessedProfileVersion": 47,
                "symbolicationNotSupported": true, "usesOnlyOneStackType": true,
                "categories": [{"name": "Task", "color": "green", "subcategories": ["Other"]}],
                "markerSchema": [],
            },
            "libs": [],
            "counters": [],
            "threads": [{
                "name": self.thread, "isMainThread": true, "processType": "default",
                "processName": "Taskcluster", "processStartupTime": 0, "processShutdownTime": null,
                "registerTime": 0, "unregisterTime": end.map(|end| end - self.start),
                "pausedRanges": [], "showMarkersInTimeline": true, "pid": 0, "tid": 0,
                "samples": {
                    "weightType": "samples", "weight": null, "stack": [], "time": [], "length": 0,
                },
                "markers": {
                    "name": of_marks(|_, mark| json!(mark.name)),
                    "startTime": of_marks(|all, mark| json!(mark.start - all.start)),
                    "endTime": of_marks(|all, mark| json!(mark.end.map(|end| end - all.start))),
                    // At a time, or over some time.
                    "phase": of_marks(|_, mark| json!(i32::from(mark.end.is_some()))),
                    "category": of_marks(|_, _| json!(0)),
                    "data": of_marks(|_, mark| mark.data.clone()),
                    "length": self.marks.len(),
                },
                "stringArray": self.texts,
            }],
        })
    }
}
