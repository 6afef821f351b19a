/** An OpenID Connect provider for tests: it asks who somebody is, believes them, and says which groups they are in. */
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const clientId = "headway";
export const clientSecret = "provider-and-headway-share-this";

/** What somebody was given a code for. */
type Given = { name: string; nonce: string; challenge: string; callback: string };

export class Provider {
  /** Where it answers; its name for itself. */
  readonly url: string;
  /** The groups of everybody it knows, by name. */
  readonly groups: Record<string, string[]> = {};
  readonly #server: Server;
  readonly #keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
  readonly #codes = new Map<string, Given>();
  /** Who may be asked about with which access token. */
  readonly #tokens = new Map<string, string>();

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      this.#answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
    });
  }

  /** Starts one that knows nobody yet. */
  static async start(): Promise<Provider> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Provider(server);
  }

  /** Ends it. */
  async remove(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.url);
    const json = (status: number, body: unknown) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    switch (url.pathname) {
      case "/.well-known/openid-configuration":
        json(200, {
          issuer: this.url,
          authorization_endpoint: `${this.url}/authorize`,
          token_endpoint: `${this.url}/token`,
          userinfo_endpoint: `${this.url}/userinfo`,
          jwks_uri: `${this.url}/keys`,
          token_endpoint_auth_methods_supported: ["client_secret_post"],
        });
        break;
      case "/keys":
        json(200, { keys: [{ ...this.#keys.publicKey.export({ format: "jwk" }), kid: "one", use: "sig", alg: "RS256" }] });
        break;
      case "/authorize":
        this.#authorize(url.searchParams, response);
        break;
      case "/token": {
        const [status, body] = this.#exchange(new URLSearchParams(await text(request)));
        json(status, body);
        break;
      }
      case "/userinfo": {
        const name = this.#tokens.get((request.headers.authorization ?? "").replace(/^Bearer /, ""));
        name === undefined ? json(401, {}) : json(200, { sub: `id of ${name}`, groups: this.groups[name] });
        break;
      }
      default:
        json(404, {});
    }
  }

  /** Asks who it is, then leads back. */
  #authorize(asked: URLSearchParams, response: ServerResponse): void {
    const field = (name: string) => asked.get(name) ?? "";
    const name = asked.get("as");
    if (name === null) {
      const escaped = (value: string) => value.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
      const kept = [...asked].map(([key, value]) => `<input type="hidden" name="${key}" value="${escaped(value)}">`);
      const people = Object.keys(this.groups).map((known) => `<button name="as" value="${known}">I am ${known}</button>`);
      response.writeHead(200, { "content-type": "text/html" });
      response.end(`<title>Provider</title><form action="/authorize">${kept.join("")}${people.join("")}</form>`);
      return;
    }
    const known = this.groups[name] !== undefined;
    const registered = field("client_id") === clientId && field("code_challenge_method") === "S256";
    if (!known || !registered) {
      response.writeHead(400).end();
      return;
    }
    const code = randomBytes(16).toString("hex");
    const callback = field("redirect_uri");
    this.#codes.set(code, { name, nonce: field("nonce"), challenge: field("code_challenge"), callback });
    const back = new URLSearchParams({ code, state: field("state"), iss: this.url });
    response.writeHead(303, { location: `${callback}?${back}` }).end();
  }

  /** Gives an ID token for a code, once; groups are in none, so that they have to be asked for. */
  #exchange(shown: URLSearchParams): [number, unknown] {
    if (shown.get("client_id") !== clientId || shown.get("client_secret") !== clientSecret) {
      return [401, { error: "invalid_client" }];
    }
    const code = shown.get("code") ?? "";
    const given = this.#codes.get(code);
    this.#codes.delete(code);
    const challenge = createHash("sha256").update(shown.get("code_verifier") ?? "").digest("base64url");
    if (!given || given.challenge !== challenge || given.callback !== shown.get("redirect_uri")) {
      return [400, { error: "invalid_grant" }];
    }
    const now = Math.floor(Date.now() / 1000);
    const { name, nonce } = given;
    const claims = { iss: this.url, sub: `id of ${name}`, aud: clientId, exp: now + 300, iat: now, nonce, name };
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const signed = `${part({ alg: "RS256", kid: "one" })}.${part(claims)}`;
    const signature = sign("sha256", Buffer.from(signed), this.#keys.privateKey).toString("base64url");
    const token = randomBytes(16).toString("hex");
    this.#tokens.set(token, name);
    return [200, { access_token: token, token_type: "Bearer", id_token: `${signed}.${signature}` }];
  }
}

async function text(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) {
    body += chunk;
  }
  return body;
}
