//! References and schemas of any kind: whatever they are, the macro expands them or says what is wrong. The fuzzer of
//! `tests/fuzz` runs this too.

use std::fs;
use std::path::PathBuf;

use crate::expand;
use crate::input::files::Files;
use crate::input::invocation::Invocation;
use crate::input::problems::Problems;
use crate::reference;

/// A folder of this process's own with a reference and a schema; gone in the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        let name = format!("references-{}-{:?}", std::process::id(), std::thread::current().id());
        let folder = Self(std::env::temp_dir().join(name));
        fs::create_dir_all(folder.0.join("schemas/service/v1"))?;
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Expands the reference before the first line of `---`, with what is behind it as the schema `v1/schema.json` of the service
/// `service`.
pub(crate) fn references(text: &[u8]) {
    thread_local! {
        static FOLDER: Folder = Folder::new().expect("a folder");
    }
    let place = text.windows(5).position(|part| part == b"\n---\n");
    let (reference, schema) = match place {
        Some(place) => (&text[..place], &text[place + 5..]),
        None => (text, &b"{}"[..]),
    };
    FOLDER.with(|Folder(folder)| {
        let file = folder.join("reference.json");
        fs::write(&file, reference).expect("written");
        fs::write(folder.join("schemas/service/v1/schema.json"), schema).expect("written");
        let invocation = format!("pub struct Service = {:?};", file.display().to_string());
        let invocation: Invocation = syn::parse_str(&invocation).expect("an invocation");
        let (mut problems, mut files) = (Problems::default(), Files::in_this_crate());
        let (references, payloads) = reference::all(&invocation, &mut files, &mut problems);
        let expansion = expand::all(&invocation, &references, &payloads).to_string();
        let problems = problems.into_compile_errors().map(|errors| errors.to_string());
        assert!(!expansion.is_empty() || problems.is_some());
    });
}

#[cfg(test)]
#[path = "../../../tests/fuzz/changes.rs"]
mod changes;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::changes::{Choice, changed, inputs};
    use super::references;

    /// How many changed references are expanded here.
    const CASES: usize = 300;

    #[test]
    fn references_of_any_kind_are_expanded_or_refused() {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests");
        let corpus = inputs(&tests.join("fuzz/corpus/references"));
        corpus.iter().for_each(|input| references(input));
        bolero::check!()
            .with_iterations(CASES)
            .with_type::<Choice>()
            .for_each(|choice| references(&changed(&corpus, choice)));
    }
}
