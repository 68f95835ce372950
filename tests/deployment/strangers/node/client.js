// The JavaScript client against the deployment that the environment names: what both must agree on.
//
// Ends with an error at the first thing that is not as it should be.

import assert from 'node:assert/strict';
import taskcluster from 'taskcluster-client';

const { clientId, accessToken } = taskcluster.fromEnvVars().credentials;
const { rootUrl } = taskcluster.fromEnvVars();
const options = more => ({ rootUrl, credentials: { clientId, accessToken }, retries: 0, ...more });
const secret = { secret: { user: 'me' }, expires: taskcluster.fromNowJSON('1 day') };

/** Asserts that a call ends with an error of this status and code. */
const refused = (call, statusCode, code) => assert.rejects(call, { statusCode, code });

// The scopes of the auth service that a client has, beside those that everybody has.
const ofAuth = async auth => {
  const { scopes } = await auth.currentScopes();
  return scopes.filter(scope => scope.startsWith('auth:'));
};

const temporary = (scopes, more) => taskcluster.createTemporaryCredentials({
  scopes,
  expiry: taskcluster.fromNow('1 hour'),
  credentials: { clientId, accessToken },
  ...more,
});

const checks = {
  async ping() {
    assert.equal((await new taskcluster.Queue({ rootUrl }).ping()).alive, true);
    await refused(new taskcluster.Auth({ rootUrl }).listClients(), 403, 'InsufficientScopes');
  },

  async signedCallsWithQueries() {
    const auth = new taskcluster.Auth(options());
    assert.deepEqual(await auth.currentScopes(), { scopes: ['*'] });
    const page = await auth.listClients({ prefix: 'static/taskcluster/roo', limit: 1 });
    assert.deepEqual(page.clients.map(client => client.clientId), ['static/taskcluster/root']);
    assert.deepEqual(await auth.listClients({ prefix: 'a/b+c@d|e:f' }), { clients: [] });
  },

  async aWrongTokenIsRefused() {
    const credentials = { clientId, accessToken: 'wrong' };
    const auth = new taskcluster.Auth(options({ credentials }));
    await refused(auth.currentScopes(), 401, 'AuthenticationFailed');
  },

  async temporaryCredentials() {
    for (const name of [undefined, 'static/taskcluster/root/temporary']) {
      const credentials = temporary(['auth:current-scopes'], name && { clientId: name });
      const auth = new taskcluster.Auth(options({ credentials }));
      assert.deepEqual(await ofAuth(auth), ['auth:current-scopes']);
      await refused(auth.listClients(), 403, 'InsufficientScopes');
    }
    const tampered = { ...temporary(['auth:current-scopes']), accessToken: 'wrong' };
    const auth = new taskcluster.Auth(options({ credentials: tampered }));
    await refused(auth.currentScopes(), 401, 'AuthenticationFailed');
  },

  async authorizedScopes() {
    const auth = new taskcluster.Auth(options({ authorizedScopes: ['auth:current-scopes'] }));
    assert.deepEqual(await ofAuth(auth), ['auth:current-scopes']);
    await refused(auth.listClients(), 403, 'InsufficientScopes');
  },

  async signedUrls() {
    for (const credentials of [{ clientId, accessToken }, temporary(['auth:list-clients'])]) {
      const auth = new taskcluster.Auth(options({ credentials }));
      const url = auth.buildSignedUrl(auth.listClients, { prefix: 'static' });
      const answer = await fetch(url);
      assert.equal(answer.status, 200);
      assert.equal((await answer.json()).clients[0].clientId, 'static/taskcluster/root');
      assert.equal((await fetch(url.replace('prefix=static', 'prefix=s'))).status, 401);
    }
  },

  async secretsOverPages() {
    const secrets = new taskcluster.Secrets(options());
    const names = [...'abcde'].map(letter => `node/${letter}`);
    for (const name of names) {
      await secrets.set(name, secret);
    }
    assert.deepEqual((await secrets.get('node/a')).secret, secret.secret);
    const listed = [];
    let [page, pages] = [{}, 0];
    do {
      const { continuationToken } = page;
      page = await secrets.list({ limit: 2, ...(continuationToken && { continuationToken }) });
      listed.push(...page.secrets.filter(name => name.startsWith('node/')));
      pages += 1;
    } while (page.continuationToken);
    assert.deepEqual(listed, names);
    assert.ok(pages >= 3);
    await secrets.remove('node/a');
    await refused(secrets.get('node/a'), 404, 'ResourceNotFound');
  },

  async payloadsMustFit() {
    const secrets = new taskcluster.Secrets(options());
    const wrong = { secret: {}, expires: 'tomorrow' };
    await refused(secrets.set('node/x', wrong), 400, 'InputValidationError');
  },

  async aTaskFromCreationToCompletion() {
    const queue = new taskcluster.Queue(options());
    const taskId = taskcluster.slugid();
    const { status } = await queue.createTask(taskId, {
      taskQueueId: 'strangers/node',
      created: taskcluster.fromNowJSON('0 seconds'),
      deadline: taskcluster.fromNowJSON('1 hour'),
      payload: {},
      metadata: {
        name: 'node',
        description: 'a task',
        owner: 'owner@example.com',
        source: 'https://example.com',
      },
    });
    assert.equal(status.state, 'pending');
    const claim = { workerGroup: 'group', workerId: 'worker', tasks: 1 };
    const { tasks: [claimed] } = await queue.claimWork('strangers/node', claim);
    assert.equal(claimed.status.taskId, taskId);
    assert.equal(claimed.task.metadata.name, 'node');
    const asTask = new taskcluster.Queue(options({ credentials: claimed.credentials }));
    const done = await asTask.reportCompleted(taskId, claimed.runId);
    assert.equal(done.status.state, 'completed');
    assert.deepEqual(await queue.status(taskId), done);
    assert.deepEqual((await queue.claimWork('strangers/none', claim)).tasks, []);
  },
};

for (const [name, check] of Object.entries(checks)) {
  await check();
  console.log('ok:', name);
}
