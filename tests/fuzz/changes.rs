//! Random changes of telling inputs, for tests without a fuzzer.

use std::fs;
use std::path::Path;

/// An input, and what happens to it: bytes that are put in, cut out, repeated or replaced.
pub(crate) type Choice = (u8, [Option<(u16, u8, u8)>; 4]);

/// Reads all files of a folder, in the order of their names.
pub(crate) fn inputs(folder: &Path) -> Vec<Vec<u8>> {
    let files =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

pub(crate) fn changed(inputs: &[Vec<u8>], (input, changes): &Choice) -> Vec<u8> {
    let mut bytes = inputs[usize::from(*input) % inputs.len()].clone();
    for (place, how, byte) in changes.iter().flatten() {
        let place = usize::from(*place) % (bytes.len() + 1);
        let end = (place + usize::from(*byte)).min(bytes.len());
        match how % 4 {
            0 => bytes.insert(place, *byte),
            1 => drop(bytes.drain(place..end)),
            2 => bytes.extend_from_within(place..end),
            _ => bytes[place..end].iter_mut().take(1).for_each(|changed| *changed = *byte),
        }
    }
    bytes
}
