//! Names the types of payloads. Names are short, and depend on file and property names only, so that rewording a description
//! changes none.
//!
//! The type of a file has the name of the file. A type inside it has the name of the type around it, without a last word that
//! only says how that is sent, followed by the name of the property: `TaskStatus`, its `TaskState` and its `TaskRun`s. If two
//! types would have the same name, both keep that word.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::input::pointer::unescaped;
use crate::names::pascal_case;
use crate::schema::types::{Definition, Place, Type, TypeId, Types};

/// Words at the end of a name that say how something is sent rather than what it is.
const PACKAGING: &[&str] = &[
    "Definition",
    "Full",
    "Input",
    "List",
    "Message",
    "Output",
    "Request",
    "Response",
    "Status",
    "Structure",
];

/// Names by place, as [`Types::known`] has them.
pub(crate) type Names = HashMap<(Place, Option<String>), String>;

/// Names all types. `reserved` has the names taken in each item's module, `known` the names to use again.
pub(crate) fn give(types: &mut Types, reserved: &[BTreeSet<String>], known: &Names) {
    let places = places(types);
    merge_choices(types, &places);
    for (place, id) in &types.known {
        if let Some(name) = known.get(place) {
            types.all[*id].name.clone_from(name);
        }
    }
    let mut taken: Vec<BTreeSet<String>> = reserved.to_vec();
    let named = |kind: &&mut Type| kind.same_as.is_none() && !kind.name.is_empty();
    for kind in types.all.iter_mut().filter(named) {
        if !taken[kind.item].insert(kind.name.clone()) {
            kind.name.clear();
        }
    }
    // From the outside to the inside, so that the type around another has its name first.
    let mut by_depth: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (id, kind) in types.all.iter().enumerate() {
        if kind.same_as.is_none() && kind.name.is_empty() {
            by_depth.entry(kind.place.pointer.matches('/').count()).or_default().push(id);
        }
    }
    // The last number that was added to a name.
    let mut numbers: HashMap<(usize, String), usize> = HashMap::new();
    for mut ids in by_depth.into_values() {
        ids.sort_by(|a, b| types.all[*a].place.cmp(&types.all[*b].place));
        let short: Vec<String> =
            ids.iter().map(|id| candidate(types, &places, *id, true)).collect();
        let mut uses: HashMap<(usize, &str), usize> = HashMap::new();
        for (id, name) in ids.iter().zip(&short) {
            *uses.entry((types.all[*id].item, name)).or_default() += 1;
        }
        let mut named = Vec::new();
        for (id, short) in ids.iter().zip(&short) {
            let item = types.all[*id].item;
            let free = uses[&(item, short.as_str())] == 1 && !taken[item].contains(short);
            let long = if free { short.clone() } else { candidate(types, &places, *id, false) };
            let mut name = long.clone();
            if taken[item].contains(&name) {
                let number = numbers.entry((item, long.clone())).or_insert(1);
                while taken[item].contains(&name) {
                    *number += 1;
                    name = format!("{long}{number}");
                }
            }
            taken[item].insert(name.clone());
            named.push((*id, name));
        }
        for (id, name) in named {
            types.all[id].name = name;
        }
    }
}

/// The types at each place.
type Places = HashMap<Place, Vec<TypeId>>;

fn places(types: &Types) -> Places {
    let mut places = Places::new();
    for (id, kind) in types.all.iter().enumerate() {
        places.entry(kind.place.clone()).or_default().push(id);
    }
    places
}

fn candidate(types: &Types, places: &Places, id: TypeId, short: bool) -> String {
    let kind = &types.all[id];
    if let Some((union, variant)) = &kind.branch_of {
        let union = &types.all[*union].name;
        return if short {
            format!("{}{variant}", bare(union))
        } else {
            format!("{union}{variant}")
        };
    }
    let steps = steps(&kind.place.pointer);
    let Some((last, outer)) = steps.split_last() else {
        let name = match pascal_case(&stem(&kind.place.path)).as_str() {
            "Self" => "Self_".to_owned(),
            name => name.to_owned(),
        };
        return if short { name } else { format!("{name}Message") };
    };
    let parent = parent_name(types, places, &kind.place, outer);
    let last = match last {
        Step::Property(name) => pascal(name),
        Step::Each => {
            let item = singular(&parent);
            return if short && item != parent { item } else { format!("{parent}Item") };
        }
        Step::EachOf(name) => singular(&pascal(name)),
    };
    if !short {
        return joined(&parent, &last);
    }
    let bare = bare(&parent);
    let one = singular(bare);
    // `PendingTasks` of `tasks` are `PendingTask`s.
    match one.len().checked_sub(last.len()).and_then(|start| one.split_at_checked(start)) {
        Some((before, end)) if end.eq_ignore_ascii_case(&last) => {
            let before =
                ["List", "Get"].iter().find_map(|verb| before.strip_prefix(verb)).unwrap_or(before);
            format!("{before}{last}")
        }
        _ => joined(bare, &last),
    }
}

/// Joins two names; words that end the first and start the second are not repeated.
fn joined(first: &str, second: &str) -> String {
    let ends = second.char_indices().skip(1).filter(|(_, letter)| letter.is_uppercase());
    let mut ends: Vec<_> = ends.map(|(start, _)| start).collect();
    ends.push(second.len());
    let overlap = ends.into_iter().rev().find(|end| first.ends_with(&second[..*end]));
    format!("{first}{}", &second[overlap.unwrap_or(0)..])
}

/// The name of the nearest type around a place, or the name that it would have.
fn parent_name(types: &Types, places: &Places, place: &Place, outer: &[Step]) -> String {
    let mut around = place.clone();
    let (mut name, skip) = loop {
        let Some(end) = around.pointer.rfind('/') else {
            break (pascal_case(&stem(&place.path)), 0);
        };
        around.pointer.truncate(end);
        let here = places.get(&around).into_iter().flatten().map(|id| &types.all[*id]);
        let mut named = here.filter(|kind| kind.same_as.is_none() && !kind.name.is_empty());
        if let Some(kind) = named.next_back() {
            break (kind.name.clone(), steps(&around.pointer).len());
        }
    };
    for step in outer.get(skip..).unwrap_or_default() {
        if let Step::Property(property) | Step::EachOf(property) = step {
            name.push_str(&pascal(property));
        }
    }
    name
}

/// A step from a type to one inside it.
enum Step {
    Property(String),
    /// The items of a list that is a property.
    EachOf(String),
    /// The items of a list that is a whole file.
    Each,
}

/// The steps of a pointer that matter for a name.
fn steps(pointer: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut parts = pointer.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        match part {
            "properties" | "definitions" | "$defs" | "patternProperties" => {
                steps.push(Step::Property(unescaped(parts.next().unwrap_or_default())));
            }
            "items" | "additionalProperties" => match steps.pop() {
                Some(Step::Property(name)) => steps.push(Step::EachOf(name)),
                other => {
                    steps.extend(other);
                    steps.push(Step::Each);
                }
            },
            // A branch adds the name of its variant, elsewhere.
            "oneOf" | "anyOf" | "allOf" => drop(parts.next()),
            "not" | "if" | "then" | "else" | "contains" | "propertyNames" | "additionalItems" => {}
            // A definition elsewhere, such as in `components/schemas` of OpenAPI.
            name if parts.peek().is_none() && name.parse::<usize>().is_err() => {
                steps.push(Step::Property(unescaped(name)));
            }
            _ => {}
        }
    }
    steps
}

fn pascal(property: &str) -> String {
    let words: String =
        property.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    pascal_case(&words)
}

/// The name of a file without its folder and extension.
fn stem(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.strip_suffix(".json").unwrap_or(file);
    let plain: String =
        stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let usable = plain.trim_matches('_').starts_with(|c: char| c.is_ascii_alphabetic());
    if usable { plain } else { format!("n{plain}") }
}

/// A name without a last word that only says how the type is sent.
fn bare(name: &str) -> &str {
    PACKAGING
        .iter()
        .find_map(|word| name.strip_suffix(word).filter(|rest| !rest.is_empty()))
        .unwrap_or(name)
}

/// Turns `Entries` into `Entry`, `Statuses` into `Status`, and `Runs` into `Run`.
fn singular(name: &str) -> String {
    let ends = |ending: &str| name.len() > ending.len() && name.ends_with(ending);
    let cut = |ending: &str, with: &str| format!("{}{with}", &name[..name.len() - ending.len()]);
    if ends("ies") {
        cut("ies", "y")
    } else if ["sses", "shes", "ches", "xes", "uses"].iter().any(|ending| ends(ending)) {
        cut("es", "")
    } else if ends("s") && !["ss", "us", "is"].iter().any(|ending| ends(ending)) {
        cut("s", "")
    } else {
        name.to_owned()
    }
}

/// Merges enums of a service that have the same values and mean the same: those of properties that end with the same word
/// (`priority`, `newPriority`), and those of three or more fields of one record.
fn merge_choices(types: &mut Types, places: &Places) {
    let mut by_word: BTreeMap<(Vec<String>, &str, String), Vec<usize>> = BTreeMap::new();
    for (id, kind) in types.all.iter().enumerate() {
        let Definition::Choice(variants) = &kind.definition else { continue };
        let steps = steps(&kind.place.pointer);
        let Some(Step::Property(property) | Step::EachOf(property)) = steps.last() else {
            continue;
        };
        let word = pascal(property);
        let last = word.rfind(char::is_uppercase).map_or(word.as_str(), |start| &word[start..]);
        let values = variants.iter().map(|variant| variant.wire.clone()).collect();
        let folder = kind.place.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        by_word.entry((values, folder, last.to_owned())).or_default().push(id);
    }
    let by_word: Vec<_> = by_word.into_iter().map(|((_, _, word), ids)| (word, ids)).collect();
    for (word, mut ids) in by_word {
        // All take the name with the fewest words, or the property's last word if several have as few.
        let name = |id: &TypeId| candidate(types, places, *id, true);
        ids.sort_by_cached_key(|id| (words(&name(id)), types.all[*id].place.clone()));
        let [first, second, ..] = ids.as_slice() else { continue };
        let (shortest, next) = (name(first), name(second));
        let name = if words(&shortest) < words(&next) { shortest } else { word };
        unite(types, &ids, name);
    }
    for id in 0..types.all.len() {
        let Definition::Record(record) = &types.all[id].definition else { continue };
        let mut by_values: BTreeMap<Vec<String>, Vec<usize>> = BTreeMap::new();
        for part in record.fields.iter().filter_map(|field| field.kind.direct()) {
            if let Definition::Choice(variants) = &types.all[part].definition
                && types.all[part].same_as.is_none()
            {
                let values = variants.iter().map(|variant| variant.wire.clone()).collect();
                by_values.entry(values).or_default().push(part);
            }
        }
        for ids in by_values.into_values().filter(|ids| ids.len() >= 3) {
            let outer = pascal_case(&stem(&types.all[id].place.path));
            let inner = steps(&types.all[id].place.pointer);
            let name = match inner.last() {
                Some(Step::Property(name) | Step::EachOf(name)) => singular(&pascal(name)),
                _ => format!("{}Value", bare(&outer)),
            };
            unite(types, &ids, name);
        }
    }
    types.replace_same();
}

fn words(name: &str) -> usize {
    name.matches(char::is_uppercase).count()
}

/// Replaces all types by the first, in the first of their modules.
fn unite(types: &mut Types, ids: &[usize], name: String) {
    let Some((first, others)) = ids.split_first() else { return };
    let item = ids.iter().map(|id| types.all[*id].item).min().unwrap_or_default();
    types.all[*first].item = item;
    types.all[*first].name = name;
    for id in others {
        types.all[*id].same_as = Some(*first);
    }
}
