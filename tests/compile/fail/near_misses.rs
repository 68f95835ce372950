// What is not wrong by itself, but cannot be meant.
taskcluster::taskcluster_api! {
    pub struct Near = "api/near.json";
}

fn main() {
    let client = taskcluster::Client::builder("https://tc.example.com").build().unwrap();
    let _ = Near::new(&client).cancel("x");
    let _ = near::Open::new(taskcluster::json!(1)).reason("y");
}
