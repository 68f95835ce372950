//! A person at the web interface, to test programs that sign people in.

use std::time::Duration;

use reqwest::Url;

use super::deployment::Deployment;
use crate::runtime::block_on;
use crate::testing::services::web_ui::PATH;
use crate::{Error, Result, StatusCode, http_client_builder};

/// How long the person waits for the program.
const PATIENCE: Duration = Duration::from_secs(30);

impl Deployment {
    /// Signs a person in at the web interface, with this client id and these scopes. They can also ask for their scopes, and
    /// create clients whose ids begin with theirs, as everybody can.
    ///
    /// Of the web interface, there is the page at `/auth/clients/create` by which a program signs a person in; see
    /// `taskcluster::signin`. Any browser shows it. Only one person is signed in at a time.
    ///
    /// ```
    /// use taskcluster::reqwest::Url;
    /// use taskcluster::testing::Deployment;
    ///
    /// let fake = Deployment::start_blocking()?;
    /// let person = fake.web_user("github/1|octocat", ["queue:*"]);
    /// let page = format!("{}/auth/clients/create?scope=*&name=x&callback_url=http://example.com", fake.root_url());
    /// let error = person.save(&Url::parse(&page).unwrap()).unwrap_err();
    /// assert!(error.to_string().contains("Callback URL http://example.com is not allowed."));
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    pub fn web_user<S: Into<String>>(
        &self,
        client_id: impl Into<String>,
        scopes: impl IntoIterator<Item = S>,
    ) -> WebUser {
        let client_id = client_id.into();
        let mut scopes: Vec<_> = scopes.into_iter().map(Into::into).collect();
        let own_clients = format!("auth:create-client:{client_id}/*");
        scopes.extend(["auth:current-scopes".to_owned(), own_clients]);
        self.state().services.web_ui.sign_in(client_id, scopes);
        WebUser { deployment: self.clone() }
    }
}

/// A person at the web interface of a [`Deployment`]; see [`Deployment::web_user`].
#[derive(Clone, Debug)]
pub struct WebUser {
    deployment: Deployment,
}

impl WebUser {
    /// Opens the page at this URL, saves the client that it proposes, and goes where the page leads. Blocks until the program
    /// there has answered.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL is not that of the page, if the web interface or the auth service refuses, or if the program
    /// does. Returns one if called inside an asynchronous runtime, too.
    pub fn save(&self, url: &Url) -> Result<()> {
        let page = format!("{}{PATH}", self.deployment.root_url());
        if url.as_str().split('?').next() != Some(&page) {
            return Err(Error::input(format!("the web interface has no page {}", url.path())));
        }
        let state = self.deployment.state();
        let query = url.query().unwrap_or_default();
        let saved = state.services.web_ui.save(state.context(), query);
        let callback = saved.map_err(|refusal| Error::input(refusal.message()))?;
        state.context().work_on_messages();
        block_on(follow(&callback))?
    }
}

/// Goes to a URL, and where that leads.
async fn follow(callback: &str) -> Result<()> {
    let http = http_client_builder()?.no_proxy().timeout(PATIENCE).build();
    let http = http.map_err(Error::transport)?;
    let invalid = || Error::input("the page leads to what is no URL");
    let mut url = Url::parse(callback).map_err(|_| invalid())?;
    for _ in 0..10 {
        let response = http.get(url.clone()).send().await.map_err(Error::transport)?;
        let status = response.status();
        if !status.is_redirection() {
            let refused = || Error::answer("the program refused").with_status(Some(status));
            return if status == StatusCode::OK { Ok(()) } else { Err(refused()) };
        }
        let location = response.headers().get("location").and_then(|value| value.to_str().ok());
        url = location.and_then(|location| url.join(location).ok()).ok_or_else(invalid)?;
    }
    Err(Error::answer("the program redirects without end"))
}
