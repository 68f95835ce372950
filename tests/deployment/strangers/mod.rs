//! The embedded deployment as a program, called by clients that others have written: Taskcluster's own for Python and
//! JavaScript. They are installed into the target folder. Where that is not possible, a line says so and the test passes;
//! with `CI` in the environment only a missing Python or Node is an excuse.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use taskcluster::{Auth, Client, Credentials, Secrets, StatusCode};

/// The program, built as the tests were.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // With the tests, whose features it shares: so nothing is built anew.
    cargo.args(["build", "--workspace", "--tests", "--example", "deployment"]);
    cargo.args(["--message-format", "json"]);
    // What cargo tells a test would change what build scripts see.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_MANIFEST_") || text.starts_with("CARGO_PKG_") {
            cargo.env_remove(&name);
        }
    }
    cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let output = run(&mut cargo).unwrap();
    let messages = output.lines().map(|line| serde_json::from_str(line).unwrap());
    let built: serde_json::Value = messages
        .filter(|message: &serde_json::Value| message["executable"].is_string())
        .find(|message| message["target"]["name"] == "deployment")
        .unwrap();
    built["executable"].as_str().unwrap().into()
});

/// Runs a command to its end, and returns what it prints; an error is what it prints, too.
fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    match output.status.success() {
        true => Ok(stdout),
        false => Err(format!("{command:?}: {}\n{stdout}{stderr}", output.status)),
    }
}

/// The running program.
struct Standalone {
    process: Child,
    /// The variables that it has printed.
    variables: Vec<(String, String)>,
    log: PathBuf,
}

impl Standalone {
    fn start(name: &str) -> Self {
        let log = folder(name).with_extension("log");
        let mut process = Command::new(&*PROGRAM)
            .args(["--port", "0"])
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let variable = |line: String| {
            let (name, value) = line.strip_prefix("export ").unwrap().split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        };
        let variables = lines.take(3).map(|line| variable(line.unwrap())).collect();
        Self { process, variables, log }
    }

    fn variable(&self, name: &str) -> &str {
        &self.variables.iter().find(|(known, _)| known == name).unwrap().1
    }

    /// Runs a client against it, and returns its output and the log of the calls.
    fn serve(&self, client: &mut Command) -> (String, String) {
        client.env_remove("TASKCLUSTER_PROXY_URL").env_remove("TASKCLUSTER_CERTIFICATE");
        client.env("NO_PROXY", "127.0.0.1").envs(self.variables.iter().cloned());
        let output = run(client).unwrap_or_else(|error| panic!("{error}\n{}", self.log()));
        (output, self.log())
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Standalone {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where a client is installed.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("strangers").join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Says why a test is skipped, though its output is not shown.
fn skip(name: &str, reason: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: the client for {name}: {reason}");
}

/// Installs a client, unless that was done before with the same files. `None` if the test is to be skipped.
fn install(
    name: &str,
    tools: &[&str],
    commands: impl FnOnce(&Path) -> Vec<Command>,
) -> Option<PathBuf> {
    for tool in tools {
        if let Err(error) = run(&mut command(tool, &["--version"])) {
            skip(name, &error);
            return None;
        }
    }
    let folder = folder(name);
    let mut wanted = Vec::new();
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("deployment/strangers").join(name);
    for file in fs::read_dir(files).unwrap() {
        let file = file.unwrap();
        let text = fs::read(file.path()).unwrap();
        fs::write(folder.join(file.file_name()), &text).unwrap();
        wanted.extend(text);
    }
    let installed = folder.join("installed");
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Some(folder);
    }
    for mut command in commands(&folder) {
        if let Err(error) = run(command.current_dir(&folder)) {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            skip(name, &error);
            return None;
        }
    }
    fs::write(installed, wanted).unwrap();
    Some(folder)
}

fn command(program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args);
    command
}

/// Asserts that a client has done all that it should have.
fn assert_done((output, log): (String, String), last: &str) {
    assert!(output.ends_with(&format!("ok: {last}\n")), "{output}");
    for line in [
        "queue.ping: 200",
        "auth.listClients: 403 InsufficientScopes: Client ID static/anonymous does not have",
        "auth.listClients ?prefix=\"static/taskcluster/roo\" ?limit=\"1\" by static/taskcluster/root: 200",
        "auth.currentScopes by static/taskcluster/root/temporary: 200",
        "auth.currentScopes: 401 AuthenticationFailed: Bad mac",
    ] {
        assert!(log.lines().any(|known| known.starts_with(line)), "{line}\n{log}");
    }
}

#[test]
fn the_python_client_agrees() {
    let commands = |folder: &Path| {
        let pip = folder.join("venv/bin/pip");
        let install =
            ["install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"];
        vec![command("python3", &["-m", "venv", "--clear", "venv"]), command(pip, &install)]
    };
    let Some(folder) = install("python", &["python3"], commands) else { return };
    let mut client = command(folder.join("venv/bin/python"), &["client.py"]);
    let done = Standalone::start("python").serve(client.current_dir(folder));
    assert_done(done, "a_task_from_creation_to_completion");
}

/// How many tests the suite of Taskcluster's client for Python has. None of them needs more than a deployment.
const PYTHON_TESTS: usize = 157;

/// The suite comes with the client's source package, which is fetched here and not part of this project.
#[test]
fn the_python_clients_own_suite_passes() {
    let commands = |folder: &Path| {
        let pip = folder.join("venv/bin/pip");
        let source = "taskcluster==113.2.0";
        let pip = |args: &[&str]| {
            let mut pip = command(&pip, args);
            pip.args(["--quiet", "--disable-pip-version-check"]);
            pip
        };
        vec![
            command("python3", &["-m", "venv", "--clear", "venv"]),
            pip(&["install", "-r", "requirements.txt"]),
            pip(&["download", "--no-deps", "--no-binary", "taskcluster", source]),
            command("python3", &["-m", "tarfile", "-e", "taskcluster-113.2.0.tar.gz"]),
        ]
    };
    let Some(folder) = install("python-suite", &["python3"], commands) else { return };
    let mut suite = command(folder.join("venv/bin/python"), &["-m", "pytest", "--quiet", "test"]);
    // A test that would be skipped for want of a deployment fails instead.
    suite.current_dir(folder.join("taskcluster-113.2.0")).env("NO_SKIP_TESTS", "1");
    let (output, _) = Standalone::start("python-suite").serve(&mut suite);
    let summary = output.lines().last().unwrap();
    assert!(summary.starts_with(&format!("{PYTHON_TESTS} passed,")), "{output}");
}

#[test]
fn the_javascript_client_agrees() {
    let commands = |_: &Path| vec![command("npm", &["ci", "--no-audit", "--no-fund"])];
    if let Ok(version) = run(&mut command("node", &["--version"]))
        && version.trim_start_matches('v').split('.').next().unwrap().parse::<u32>().unwrap() < 20
    {
        return skip("node", &format!("it wants Node 20, and there is {version}"));
    }
    let Some(folder) = install("node", &["node", "npm"], commands) else { return };
    let mut client = command("node", &["client.js"]);
    let done = Standalone::start("node").serve(client.current_dir(folder));
    assert_done(done, "aTaskFromCreationToCompletion");
}

#[tokio::test]
async fn the_program_tells_where_it_is_and_logs_each_call() {
    let mut standalone = Standalone::start("rust");
    let root_url = standalone.variable("TASKCLUSTER_ROOT_URL").to_owned();
    let credentials = Credentials::new(
        standalone.variable("TASKCLUSTER_CLIENT_ID"),
        standalone.variable("TASKCLUSTER_ACCESS_TOKEN"),
    );
    let http = taskcluster::http_client_builder().unwrap().no_proxy().build().unwrap();
    let client = Client::builder(&root_url).http_client(http).credentials(credentials);
    let client = client.build().unwrap();
    Auth::new(&client).list_clients().limit(1).await.unwrap();
    let error = Secrets::new(&client).get("a b").await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));
    let log = standalone.log();
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines[0], "auth.listClients ?limit=\"1\" by static/taskcluster/root: 200");
    assert!(
        lines[1].starts_with("secrets.get name=\"a b\" by static/taskcluster/root: 404 "),
        "{log}"
    );
    assert_eq!(lines.len(), 2);

    // A second one cannot have the same port.
    let (_, port) = root_url.rsplit_once(':').unwrap();
    let error = run(&mut command(&*PROGRAM, &["--port", port])).unwrap_err();
    assert!(error.contains("cannot start"), "{error}");

    if cfg!(unix) {
        // Not what Ctrl-C sends, which programs ignore that were started in the background, as these tests may be.
        run(&mut command("kill", &["-TERM", &standalone.process.id().to_string()])).unwrap();
        standalone.process.wait().unwrap();
        Auth::new(&client).ping().await.unwrap_err();
    }
}

#[test]
fn the_program_wants_a_port() {
    for args in [&[][..], &["--port"], &["--port", "x"], &["--prot", "1"], &["--port", "0", "x"]] {
        let error = run(&mut command(&*PROGRAM, args)).unwrap_err();
        assert!(error.contains("usage: deployment --port PORT"), "{error}");
    }
}
