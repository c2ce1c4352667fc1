// Places an order, reads it, makes a mistake, and watches what became of the order.
//   node order.mjs <folder of protos> <host:port> <client id> <user name> <password>
import { randomUUID } from 'node:crypto';
import { Waybill, WaybillError, money, nanos, plain, struct, text } from './waybill.mjs';

const [protos, address, clientId, username, password] = process.argv.slice(2);
const waybill = new Waybill(protos, address, clientId, { password: { username, password } });

// Kept outside of the call: whoever sends it again after a crash of its own sends the same id, and orders once.
const request_id = randomUUID();
const place = {
  order: { id: `NODE-${request_id.slice(0, 8)}`, xp: struct({ source: 'node', campaign: { id: 7, tags: ['spring', null] } }) },
  line_items: [{ product_id: 'anvil', quantity: '4' }, { product_id: 'lamp', quantity: '2' }],
  payments: [{ type: 'purchase_order', purchase_order_number: '4711' }],
  request_id,
};
const { order, line_items } = await waybill.call('order', 'CheckoutService', 'PlaceOrder', place);
console.log(`placed ${order.status} ${text(order.total)}`);

const repeated = await waybill.call('order', 'CheckoutService', 'PlaceOrder', place);
console.log(`repeated ${repeated.order.id === order.id ? 'the same order' : 'ANOTHER ORDER'}`);

const goods = line_items.reduce((sum, line) => sum + nanos(line.subtotal), 0n);
console.log(`goods ${goods === nanos(money('884.60', 'USD')) ? 'exact' : goods}, quantities ${line_items.map((line) => line.quantity).join(' ')}`);
console.log(`xp ${JSON.stringify(plain(order.xp))}`);

try {
  await waybill.call('order', 'OrderService', 'CreateOrder', { line_items: [{ product_id: 'anvil', quantity: '0' }] });
} catch (error) {
  if (!(error instanceof WaybillError)) throw error;
  console.log(`refused ${error.code} ${error.reason} ${error.fields.map(({ field, reason }) => `${field}:${reason}`).join(' ')}`);
}
try {
  await waybill.call('order', 'OrderService', 'GetOrder', { order_id: 'nowhere', direction: 'DIRECTION_OUTGOING' });
} catch (error) {
  if (!(error instanceof WaybillError)) throw error;
  console.log(`refused ${error.code} ${error.reason} ${JSON.stringify(error.metadata)}`);
}

// From the start of the order up to its submit; then a second watch goes on after the token that the first one has left.
const wanted = { direction: 'DIRECTION_OUTGOING', order_ids: [order.id] };
let resume_token;
for await (const message of waybill.watchOrders({ ...wanted, from_start: true })) {
  resume_token = message.resume_token;
  if (message.event) console.log(`event ${message.event.sequence} ${message.event.type}`);
  if (message.event) break;
}
for await (const message of waybill.watchOrders({ ...wanted, resume_token })) {
  if (message.event) console.log(`event ${message.event.sequence} ${message.event.type}`);
  if (message.event?.status === 'ORDER_STATUS_OPEN') break;
}
waybill.close();
