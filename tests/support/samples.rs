//! Documents made from schemas: what a service would send, in small and in full, and as a newer service might send it.

use std::fs;
use std::path::{Path, PathBuf};

use regex_lite::Regex;
use serde_json::{Map, Value, json};

const AWKWARD: &str = "a \"text\" – \\ü\n";

/// Texts of which one is of each pattern that a schema has.
const PATTERNED: &[&str] = &[
    "a",
    "p/w",
    "a.b",
    "https://example.com",
    "refs/heads/main",
    "fN1SbArXTPSVFNUvaOlinQ",
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqr",
    "abcdefgh-1234-1234-1234-abcdefghijkl",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    // Twice as long, for SHA-512.
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\
     e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "#builds",
    "Unknown",
];

/// What a document has beside what it must have.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Extent {
    /// Only what is required.
    Least,
    /// All that the schema names.
    Most,
    /// All, with texts and numbers that keep the schema's patterns, formats and ranges where that is easy.
    Fitting,
    /// All, with properties and values that the schema does not know.
    Newer,
}

/// A document, and what must come out when it is read and written again.
pub(crate) struct Sample {
    pub(crate) document: Value,
    pub(crate) again: Value,
}

/// Makes documents of a schema file: one of each branch of what the file as a whole may be.
pub(crate) fn of(file: &Path, extent: Extent) -> Vec<Sample> {
    let schema = Schema::read(file);
    let alternatives = schema.branches();
    if alternatives.is_empty() {
        return vec![schema.sample(extent)];
    }
    alternatives.iter().map(|branch| branch.sample(extent)).collect()
}

/// One of those documents, of a schema by its path below `references/`.
pub(crate) fn document(schema: &str, extent: Extent) -> Value {
    of(&file(schema), extent).remove(0).document
}

/// A schema's file, by its path below `references/`.
pub(crate) fn file(schema: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../references").join(schema)
}

/// Whether a document fits a schema file.
pub(crate) fn fits(file: &Path, document: &Value) -> bool {
    let mut compiler = boon::Compiler::new();
    compiler.set_default_draft(boon::Draft::V7);
    compiler.enable_format_assertions();
    compiler.use_loader(Box::new(Loader(file.ancestors().nth(3).unwrap().to_owned())));
    let place = file.strip_prefix(file.ancestors().nth(3).unwrap()).unwrap();
    let mut schemas = boon::Schemas::new();
    let index = compiler.compile(&format!("http://x/schemas/{}", place.display()), &mut schemas);
    schemas.validate(document, index.unwrap()).is_ok()
}

/// Finds schemas below a folder that is laid out as a deployment's `/schemas`.
struct Loader(PathBuf);

impl boon::UrlLoader for Loader {
    fn load(&self, url: &str) -> Result<Value, Box<dyn std::error::Error>> {
        let path = url.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
        let path = path.map_or(url, |(_, path)| path.trim_start_matches("schemas/"));
        let mut schema: Value = serde_json::from_str(&fs::read_to_string(self.0.join(path))?)?;
        // Its own place is where it lies; Taskcluster's metaschemas have no keywords that draft 7 lacks.
        for key in ["$id", "id", "$schema"] {
            schema.as_object_mut().unwrap().remove(key);
        }
        Ok(schema)
    }
}

struct Schema {
    file: PathBuf,
    whole: Value,
    json: Value,
}

impl Schema {
    fn read(file: &Path) -> Self {
        let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let whole: Value = serde_json::from_str(&text).unwrap();
        Self { file: file.to_owned(), json: whole.clone(), whole }
    }

    fn part(&self, json: &Value) -> Self {
        let part = Self { file: self.file.clone(), whole: self.whole.clone(), json: json.clone() };
        let Some(target) = json.get("$ref").and_then(Value::as_str) else { return part };
        let (file, pointer) = target.split_once('#').unwrap_or((target, ""));
        let whole = if file.is_empty() {
            part
        } else {
            // `http://schemas.taskcluster.net/queue/v1/task.json`, of 2017.
            let folder = self.file.parent().unwrap();
            Self::read(&match file.split_once("schemas.taskcluster.net/") {
                Some((_, path)) => folder.join("../..").join(path),
                None => folder.join(file),
            })
        };
        let json = whole.whole.pointer(pointer).unwrap().clone();
        whole.part(&json)
    }

    fn branches(&self) -> Vec<Self> {
        let branches = ["oneOf", "anyOf"].iter().find_map(|key| self.json.get(key)?.as_array());
        let branches = branches.map(Vec::as_slice).unwrap_or_default();
        // Those that only constrain what stands beside them are none.
        let all: Vec<_> = branches.iter().map(|branch| self.part(branch)).collect();
        let speaks = |branch: &Self| {
            ["type", "properties", "enum", "const"].iter().any(|key| branch.json.get(key).is_some())
        };
        if all.iter().all(speaks) { all } else { Vec::new() }
    }

    fn sample(&self, extent: Extent) -> Sample {
        let same = |value: Value| Sample { again: value.clone(), document: value };
        if let Some(value) = self.json.get("const") {
            return same(value.clone());
        }
        if let Some(values) = self.json.get("enum").and_then(Value::as_array) {
            let new = extent == Extent::Newer && values.len() > 1 && values[0].is_string();
            return same(if new { json!("brand-new") } else { values[0].clone() });
        }
        if let [first, ..] = self.branches().as_slice() {
            return first.sample(extent);
        }
        let kind = match &self.json["type"] {
            Value::Array(kinds) => kinds[0].as_str(),
            Value::String(kind) => Some(kind.as_str()),
            _ if self.json.get("properties").is_some() => Some("object"),
            _ => None,
        };
        match kind {
            Some("object") => self.object(extent),
            Some("array") => match self.json.get("items") {
                Some(items) => {
                    let count = match extent {
                        Extent::Least => 0,
                        // Two would be the same.
                        Extent::Fitting => 1,
                        _ => 2,
                    };
                    let items: Vec<_> =
                        (0..count).map(|_| self.part(items).sample(extent)).collect();
                    Sample {
                        document: items.iter().map(|item| item.document.clone()).collect(),
                        again: items.iter().map(|item| item.again.clone()).collect(),
                    }
                }
                None => same(json!([])),
            },
            Some("string") if self.json["format"] == "date-time" => {
                same(json!("2026-01-02T03:04:05.678Z"))
            }
            Some("string") if extent == Extent::Fitting => same(json!(self.fitting_text())),
            Some("integer") if extent == Extent::Fitting && self.json["maximum"].is_u64() => {
                same(self.json["maximum"].clone())
            }
            Some("string") => same(json!(self.text())),
            Some("integer") => same(json!(self.json["maximum"].as_u64().unwrap_or(42).min(42))),
            Some("number") => same(json!(4.5)),
            Some("boolean") => same(json!(true)),
            _ => same(json!({"b": [1, null, {"a": "free"}], "a": 1.5})),
        }
    }

    fn fitting_text(&self) -> &'static str {
        let pattern = self.json["pattern"].as_str().unwrap_or_default();
        let pattern = regex_lite::Regex::new(pattern).unwrap();
        let size = |key: &str| self.json[key].as_u64().and_then(|size| usize::try_from(size).ok());
        let fits = |text: &&&str| {
            let is_of_format = match self.json["format"].as_str() {
                Some("uri") => text.contains("://"),
                Some("email") => text.contains('@'),
                _ => true,
            };
            let length = size("minLength").unwrap_or(0)..=size("maxLength").unwrap_or(usize::MAX);
            is_of_format && length.contains(&text.len()) && pattern.is_match(text)
        };
        let all = [
            "https://example.com/a",
            "me@example.com",
            "fN1SbArXTPSVFNUvaOlinQ",
            "a/b",
            "a",
            "127.0.0.1",
            "2026-01-02T03:04:05.678Z",
            "0123456789012345678901234567890123456789",
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "refs/heads/main",
            "static/a",
        ];
        all.iter().find(fits).copied().unwrap_or("a")
    }

    /// A text that is hard to write and read, or else one that the schema allows.
    fn text(&self) -> &'static str {
        let Some(pattern) = self.json["pattern"].as_str() else {
            return match self.json["format"].as_str() {
                Some("email") => "me@example.com",
                Some("uri") => "https://example.com",
                _ => AWKWARD,
            };
        };
        let pattern = Regex::new(pattern).unwrap();
        let least = self.json["minLength"].as_u64().unwrap_or_default();
        let fits = |text: &&&str| pattern.is_match(text) && text.len() as u64 >= least;
        let found = std::iter::once(&AWKWARD).chain(PATTERNED).find(fits);
        found.unwrap_or_else(|| panic!("no text for {}", self.json))
    }

    fn object(&self, extent: Extent) -> Sample {
        let empty = Map::new();
        let properties = self.json.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let open = self.json.get("additionalProperties");
        let (mut document, mut again) = (Map::new(), Map::new());
        if properties.is_empty() {
            let value = match open {
                Some(Value::Bool(false)) => None,
                Some(values @ Value::Object(_)) => Some(self.part(values).sample(extent)),
                _ => Some(Sample { document: json!([1]), again: json!([1]) }),
            };
            if let Some(value) = value.filter(|_| extent != Extent::Least) {
                document.insert("a key".to_owned(), value.document);
                again.insert("a key".to_owned(), value.again);
            }
            return Sample { document: document.into(), again: again.into() };
        }
        for (name, property) in properties {
            let required = self.json["required"]
                .as_array()
                .is_some_and(|names| names.iter().any(|required| required == name));
            if !required && extent == Extent::Least {
                continue;
            }
            let value = self.part(property).sample(extent);
            document.insert(name.clone(), value.document);
            again.insert(name.clone(), value.again);
        }
        if extent == Extent::Newer {
            document.insert("brandNew".to_owned(), json!({"x": [1]}));
            if matches!(open, Some(Value::Bool(true) | Value::Object(_))) {
                again.insert("brandNew".to_owned(), json!({"x": [1]}));
            }
        }
        Sample { document: document.into(), again: again.into() }
    }
}
