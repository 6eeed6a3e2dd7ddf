// The official smartcar SDK in Node against the sandbox: {applicationId, redirectUri, vin, code} on stdin, what came back
// on stdout. It reads its environment whenever it asks.
import {readFileSync} from "node:fs";
import smartcar from "smartcar";

const {applicationId, redirectUri, vin, code} = JSON.parse(readFileSync(0, "utf8"));
const credentials = {clientId: applicationId, clientSecret: "secret"};
const client = new smartcar.AuthClient({...credentials, redirectUri, mode: "simulated"});

const plain = ({meta, ...rest}) => rest;

async function refused(action) {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof smartcar.SmartcarError)) throw error;
    const {statusCode, type, code = null, description, docURL, resolution = null, requestId} = error;
    return {statusCode, type, code, description, docURL, resolution, requestId};
  }
  throw new Error("the SDK raised nothing");
}

const found = {};
found.urls = [
  {},
  {forcePrompt: true, state: "a state", makeBypass: "TESLA", user: "u-1"},
  {singleSelect: {enabled: true}, flags: {country: "DE", color: "00819D"}},
  {singleSelect: {vin}},
].map((options) => client.getAuthUrl(["required:read_vin", "read_odometer"], options));

const access = await client.exchangeCode(code, {flags: {some: true}});
const {accessToken, refreshToken} = await client.exchangeRefreshToken(access.refreshToken);
found.rotated = refreshToken !== access.refreshToken;
found.user = (await smartcar.getUser(accessToken)).id;
const first = await smartcar.getVehicles(accessToken, {limit: 1});
const second = await smartcar.getVehicles(accessToken, {limit: 1, offset: 1});
found.paging = [first.paging, second.paging];

const vehicle = new smartcar.Vehicle(first.vehicles[0], accessToken);
const other = new smartcar.Vehicle(second.vehicles[0], accessToken, {unitSystem: "imperial", flags: {a: "b"}});
found.read = {};
for (const name of [
  "attributes", "vin", "odometer", "location", "fuel", "battery", "batteryCapacity", "nominalCapacity", "charge",
  "getChargeLimit", "engineOil", "tirePressure", "lockStatus", "diagnosticSystemStatus", "diagnosticTroubleCodes",
  "permissions",
]) {
  found.read[name] = plain(await vehicle[name]());
}
const {meta} = await other.odometer();
found.meta = {...meta, dates: meta.dataAge instanceof Date && meta.fetchedAt instanceof Date};
found.permissions = (await vehicle.permissions({limit: 2, offset: 1})).permissions;
found.services = (await vehicle.serviceHistory()).data?.length;

const batch = await vehicle.batch(["/", "/odometer", "/tires/pressure", "/security", "/diagnostics/dtcs"]);
found.batch = Object.fromEntries(Object.entries(batch).map(([name, answer]) => [name, plain(answer())]));

found.acts = [];
for (const [name, ...values] of [
  ["unlock"], ["lock"], ["startCharge"], ["stopCharge"], ["setChargeLimit", 0.7], ["sendDestination", 39.7, -105],
]) {
  found.acts.push((await vehicle[name](...values)).message);
}
found.limit = (await vehicle.getChargeLimit()).limit;
found.requested = (await vehicle.request("get", "odometer")).body;

found.signals = (await vehicle.getSignals()).body.data.map(({id}) => id);
found.signal = (await vehicle.getSignal("odometer-traveleddistance")).body;
found.vehicle = (await smartcar.getVehicle(accessToken, vehicle.id)).body;

found.compatibility = plain(await smartcar.getCompatibility(vin, ["read_odometer"], "US", {...credentials}));
found.matrix = plain(await smartcar.getCompatibilityMatrix("US", {...credentials, make: ["TESLA"], type: "BEV"}));

found.subscribed = plain(await vehicle.subscribe("webhook-1"));
found.unsubscribed = (await vehicle.unsubscribe("amt", "webhook-1")).status;
found.verified = smartcar.verifyPayload("amt", smartcar.hashChallenge("amt", JSON.stringify({a: 1})), {a: 1});

found.errors = {
  code: await refused(() => client.exchangeCode(code)),
  token: await refused(() => smartcar.getUser("nonsense")),
  path: await refused(() => vehicle.request("get", "teleport")),
  limit: await refused(() => vehicle.setChargeLimit(1.1)),
  batch: await refused(async () => (await vehicle.batch(["/teleport"])).teleport()),
};

const page = await smartcar.getConnections("amt", {}, {limit: 1});
const next = await smartcar.getConnections("amt", {}, {limit: 1, cursor: page.paging.cursor});
found.connections = [page.connections.length, next.connections.length, next.paging.cursor];
found.deleted = (await smartcar.deleteConnections("amt", {vehicleId: other.id})).connections;
found.disconnected = (await vehicle.disconnect()).status;
found.left = (await smartcar.getVehicles(accessToken)).paging.count;
process.stdout.write(JSON.stringify(found));
