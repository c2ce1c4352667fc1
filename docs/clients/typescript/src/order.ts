// Signs in, places an order, and reads the details of a refusal, with types that buf has generated.
//   npm start <http://host:port> <client id> <user name> <password>
import { randomUUID } from 'node:crypto';
import { Code, ConnectError, createClient, type Interceptor } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { BadRequestSchema, ErrorInfoSchema } from '../gen/google/rpc/error_details_pb.js';
import type { Money } from '../gen/google/type/money_pb.js';
import { TokenService } from '../gen/waybill/directory/v1/token_service_pb.js';
import { CheckoutService } from '../gen/waybill/order/v1/checkout_service_pb.js';
import { OrderStatus } from '../gen/waybill/order/v1/order_pb.js';

const [baseUrl, clientId, username, password] = process.argv.slice(2);
if (!baseUrl || !clientId || !username || !password) throw new Error('usage: order.js URL CLIENT_ID USER PASSWORD');

const tokens = createClient(TokenService, createGrpcTransport({ baseUrl }));
const grant = { case: 'password', value: { username, password } } as const;
const { accessToken } = await tokens.issueToken({ clientId, grant });
const authorized: Interceptor = (next) => (request) => {
  request.header.set('authorization', `Bearer ${accessToken}`);
  return next(request);
};
const checkout = createClient(CheckoutService, createGrpcTransport({ baseUrl, interceptors: [authorized] }));

// int64 is a BigInt here, so nothing is lost; only what is shown becomes text.
const nanos = (money: Money | undefined): bigint => (money ? money.units * 1_000_000_000n + BigInt(money.nanos) : 0n);

// What was not answered is sent again by hand here, always with the same request_id: it has one effect.
async function repeated<T>(call: () => Promise<T>, attempts = 5): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      const lost = error instanceof ConnectError && (error.code === Code.Unavailable || error.code === Code.Canceled);
      if (!lost || attempt === attempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** attempt));
    }
  }
}

const requestId = randomUUID();
const { order } = await repeated(() => checkout.placeOrder({
  // xp is any JSON object.
  order: { id: `TS-${requestId.slice(0, 8)}`, xp: { source: 'typescript', tags: ['spring', null] } },
  lineItems: [{ productId: 'anvil', quantity: 4n }, { productId: 'lamp', quantity: 2n }],
  payments: [{ type: 'purchase_order', purchaseOrderNumber: '4711' }],
  requestId,
}));
console.log(`placed ${OrderStatus[order?.status ?? 0]} ${nanos(order?.total)} ${JSON.stringify(order?.xp)}`);

try {
  await checkout.placeOrder({ lineItems: [{ productId: 'anvil', quantity: 0n }] });
} catch (error) {
  if (!(error instanceof ConnectError)) throw error;
  const [info] = error.findDetails(ErrorInfoSchema);
  const [bad] = error.findDetails(BadRequestSchema);
  console.log(`refused ${Code[error.code]} ${info?.reason} ${bad?.fieldViolations.map(({ field }) => field).join(' ')}`);
}
