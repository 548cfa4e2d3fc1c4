// openid-client introspects keys as an OAuth 2.0 client.

import assert from 'node:assert/strict';
import * as client from 'openid-client';

const { JUDGED_URL: url, JUDGED_KEY: key, JUDGED_GATEWAY: name, JUDGED_CREDENTIAL: credential } = process.env;

const configure = (secret, authenticate) => {
  const server = { issuer: url, introspection_endpoint: `${url}/v1/introspect` };
  const config = new client.Configuration(server, name, undefined, authenticate(secret));
  client.allowInsecureRequests(config);
  return config;
};

for (const authenticate of [client.ClientSecretBasic, client.ClientSecretPost]) {
  const config = configure(credential, authenticate);
  const introspection = await client.tokenIntrospection(config, key);
  assert.equal(introspection.active, true);
  assert.equal(introspection.service_account, 'Judged Service');
  assert.deepEqual(await client.tokenIntrospection(config, 'unknown'), { active: false });
  const refused = client.tokenIntrospection(configure(credential.slice(1), authenticate), key);
  await assert.rejects(refused, (error) => error.status === 401);
}
