// What a client of Waybill needs in Node: calls with a token, exact money, xp, errors with their details, a watch that goes on.
import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

// Whatever was not answered is sent again; every mutation carries a request_id, so a repeat has one effect.
const SERVICE_CONFIG = JSON.stringify({
  methodConfig: [{
    name: [{}],
    retryPolicy: {
      maxAttempts: 5, initialBackoff: '0.1s', maxBackoff: '2s', backoffMultiplier: 2.5,
      retryableStatusCodes: ['UNAVAILABLE', 'CANCELLED'],
    },
  }],
  loadBalancingConfig: [{ round_robin: {} }],
});

// int64 arrives as a string: a JavaScript number loses digits beyond 2^53. Enums arrive by their names.
const LOADING = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true };

// The token's time is over, its key was withdrawn, or what it was given for was taken away: signing in again says what is left.
const OVER = ['TOKEN_EXPIRED', 'TOKEN_INVALID', 'TOKEN_REVOKED'];

export class WaybillError extends Error {
  constructor(code, message) {
    super(message);
    this.code = grpc.status[code]; // such as INVALID_ARGUMENT
    this.reason = ''; // stable: a name of the context's ErrorReason
    this.metadata = {}; // what the reason's comment promises
    this.fields = []; // of a request that is malformed: { field, reason, description }
    this.rules = []; // that stand against a request: { type, subject, description }
    this.retryAfter = 0; // seconds
  }
}

export class Waybill {
  // `grant` is { password: { username, password } } or { client_credentials: {} } with a client_secret.
  constructor(protos, address, clientId, grant, { clientSecret = '', credentials = grpc.credentials.createInsecure() } = {}) {
    const names = readdirSync(protos, { recursive: true }).filter((name) => name.endsWith('.proto') && !name.includes('node_modules'));
    this.types = loader.loadSync(names, { ...LOADING, includeDirs: [protos] });
    this.packages = grpc.loadPackageDefinition(this.types).waybill;
    this.address = address;
    this.credentials = credentials;
    this.signIn = { client_id: clientId, client_secret: clientSecret, ...grant };
    this.stubs = new Map();
  }

  stub(context, service) {
    const name = `${context}.${service}`;
    if (!this.stubs.has(name)) {
      const Stub = this.packages[context].v1[service];
      this.stubs.set(name, new Stub(this.address, this.credentials, {
        'grpc.service_config': SERVICE_CONFIG, 'grpc.max_receive_message_length': 64 * 1024 * 1024,
      }));
    }
    return this.stubs.get(name);
  }

  // One call. A request that has a request_id keeps it in every attempt; one that should have one and has none gets one here.
  async call(context, service, method, request) {
    const fields = this.types[`waybill.${context}.v1.${method}Request`].type.field;
    const sent = { ...request };
    if (fields.some((field) => field.name === 'request_id')) sent.request_id ??= randomUUID();
    for (let again = true; ; again = false) {
      const metadata = await this.authorization(service);
      try {
        return await new Promise((resolve, reject) => {
          this.stub(context, service)[method](sent, metadata, { deadline: Date.now() + 60_000 },
            (error, answer) => (error ? reject(error) : resolve(answer)));
        });
      } catch (error) {
        const known = this.errorOf(error);
        if (!again || !OVER.includes(known.reason)) throw known;
        this.token = undefined;
      }
    }
  }

  async authorization(service = '') {
    const metadata = new grpc.Metadata();
    if (service === 'TokenService') return metadata;
    if (!this.token || performance.now() > this.token.until) {
      const answer = await this.issue();
      this.refresh = answer.refresh_token;
      // Counted from now by our own clock, and renewed half a minute early.
      this.token = { text: answer.access_token, until: performance.now() + (Number(answer.lifetime.seconds) - 30) * 1000 };
    }
    metadata.set('authorization', `Bearer ${this.token.text}`);
    return metadata;
  }

  // By the refresh token where the client grants one, which spares everyone the password; when it is over, signing in says what is left.
  async issue() {
    const { password, client_credentials, ...client } = this.signIn;
    const issue = (request) => this.call('directory', 'TokenService', 'IssueToken', request);
    try {
      if (this.refresh) return await issue({ ...client, refresh: { refresh_token: this.refresh } });
    } catch (error) {
      if (!['UNAUTHENTICATED', 'PERMISSION_DENIED', 'RESOURCE_EXHAUSTED'].includes(error.code)) throw error;
    }
    return issue(this.signIn);
  }

  // The details of an error are a google.rpc.Status in its trailers.
  errorOf(error) {
    if (!(error.metadata instanceof grpc.Metadata)) return error; // a mistake of this program
    const made = new WaybillError(error.code, error.details);
    const [packed] = error.metadata?.get('grpc-status-details-bin') ?? [];
    const details = packed ? this.types['google.rpc.Status'].deserialize(packed).details : [];
    for (const { type_url, value } of details) {
      const name = type_url.split('/').pop();
      const detail = this.types[name]?.deserialize(value);
      if (name === 'google.rpc.ErrorInfo') Object.assign(made, { reason: detail.reason, metadata: detail.metadata });
      if (name === 'google.rpc.BadRequest') made.fields = detail.field_violations;
      if (name === 'google.rpc.PreconditionFailure') made.rules = detail.violations;
      if (name === 'google.rpc.RetryInfo') made.retryAfter = Number(detail.retry_delay.seconds) + detail.retry_delay.nanos / 1e9;
    }
    return made;
  }

  // Every change that the request asks for, once. When a server ends, the watch goes on at another after the newest token.
  async *watchOrders(request, patience = 60_000) {
    let position = request;
    let lost;
    for (;;) {
      const stream = this.stub('order', 'OrderService').WatchOrders(position, await this.authorization());
      try {
        for await (const message of stream) {
          lost = undefined;
          position = { ...request, from_start: false, resume_token: message.resume_token };
          yield message; // without an event it is a checkpoint: keep its token for your own restart
        }
        return;
      } catch (error) {
        const known = this.errorOf(error);
        lost ??= performance.now();
        if (OVER.includes(known.reason)) this.token = undefined;
        else if (!['UNAVAILABLE', 'CANCELLED'].includes(known.code) || position === request) throw known;
        if (performance.now() - lost > patience) throw known;
        await sleep(Math.max(500, known.retryAfter * 1000));
      } finally {
        stream.cancel();
      }
    }
  }

  close() {
    for (const stub of this.stubs.values()) stub.close();
  }
}

// Money is whole units and nanos (10^-9) of the same sign; a BigInt of nanos is exact, a number is not.
export const nanos = (money) => BigInt(money.units) * 1_000_000_000n + BigInt(money.nanos);

export function money(text, currency_code) {
  const match = /^(-?)(\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (!match) throw new RangeError(`${text} is not an amount`);
  const [, minus, units, fraction = ''] = match;
  return { currency_code, units: minus + units, nanos: Number(minus + fraction.padEnd(9, '0')) };
}

export function text(amount, digits = 2) {
  const value = nanos(amount);
  const magnitude = value < 0n ? -value : value;
  const fraction = String(magnitude % 1_000_000_000n).padStart(9, '0').replace(/0+$/, '').padEnd(digits, '0');
  return `${value < 0n ? '-' : ''}${magnitude / 1_000_000_000n}${fraction && '.' + fraction} ${amount.currency_code}`;
}

// xp is a google.protobuf.Struct: any JSON object.
const toValue = (value) => {
  if (value === null) return { nullValue: 'NULL_VALUE' };
  if (Array.isArray(value)) return { listValue: { values: value.map(toValue) } };
  if (typeof value === 'object') return { structValue: struct(value) };
  return { [`${typeof value}Value`]: value }; // stringValue, numberValue, boolValue
};
export const struct = (object) => ({ fields: Object.fromEntries(Object.entries(object).map(([key, value]) => [key, toValue(value)])) });

const fromValue = (value) => {
  if (value.kind === 'structValue') return plain(value.structValue);
  if (value.kind === 'listValue') return value.listValue.values.map(fromValue);
  return value.kind === 'nullValue' ? null : value[value.kind];
};
export const plain = (made) => Object.fromEntries(Object.entries(made?.fields ?? {}).map(([key, value]) => [key, fromValue(value)]));
