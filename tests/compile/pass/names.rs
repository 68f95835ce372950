//! Names that Rust, the standard library or the expansion itself have a use for.

use taskcluster::Client;

taskcluster::taskcluster_api! {
    pub struct Names = "api/names.json";
    pub struct NamesEvents = "api/names-events.json";
    pub struct r#Try = "api/names.json";
    pub struct Match = "api/names.json";
    #[allow(non_camel_case_types)]
    pub struct names_in_lower_case = "api/names.json"
}

fn main() {
    let names = Names::new(&Client::builder("https://tc.example.com").build().unwrap());
    let again: Names = Clone::clone(&names);
    let url = again.clone_("a", "b").gen_(1).url().unwrap();
    assert_eq!(url.as_str(), "https://tc.example.com/api/names/v1/a/b?gen=1");
    again.box_().string("x").self_("y").url().unwrap();
    again.from_().url().unwrap();
    let key = NamesEvents::self_().parse("_.x").unwrap();
    assert_eq!((key.option, &*key.string), (None, "x"));
    assert_eq!(NamesEvents::REFERENCE.exchanges.len(), 12);
}
