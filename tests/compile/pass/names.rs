//! Names that Rust, the standard library or the expansion itself have a use for.

use taskcluster::{Call, Client};

taskcluster::taskcluster_api! {
    pub struct Names = "api/names.json";
    pub struct NamesEvents = "api/names-events.json";
    pub struct r#Try = "api/names.json";
    pub struct Match = "api/names.json";
    #[allow(non_camel_case_types)]
    pub struct names_in_lower_case = "api/names.json";
    pub struct Routes = "api/routes.json";
    pub struct Pointers = "api/pointers.json"
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
    let routes = Routes::new(&Client::builder("https://tc.example.com").build().unwrap());
    let url = routes.all("me").filter("a").filter_state("b").filter_state_("c").n1st("d").url().unwrap();
    assert_eq!(url.query(), Some("%24filter=a&filter%5Bstate%5D=b&filter.state=c&1st=d"));
    // Definitions of a file are types as files are.
    let mut new = pointers::BuildPercentField::new();
    new.x = Some(pointers::BuildA::default());
    let _: Call<pointers::BuildOut> = Pointers::new(&Client::builder("https://tc.example.com").build().unwrap()).put(&new);
    assert_eq!(NamesEvents::REFERENCE.exchanges.len(), 12);
}
