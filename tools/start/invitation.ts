/** What `npm start` says when the stories are told: where everything is, and what to try next. */
import type { PlacedExample, StartOptions } from './options.ts';

/** The text, made for the addresses of this run. */
export function invitation({ port, examples, dataFolder }: StartOptions): string {
  const server = `http://127.0.0.1:${port}`;
  const bank = examples.find(({ example }) => example.name === 'bank-transfer');
  return `
Everything stays up until Ctrl-C.

  coordinator    ${server}/api/v1    for DTM's clients: ${server}/api/dtmsvr
${examples.map(addresses).join('\n')}
  data           ${dataFolder} (logs in logs/, databases of the examples made anew at each start)

To try next

  The last transactions, and what the server says about itself:

    curl -s '${server}/api/v1/transactions?limit=3'
    curl -s ${server}/api/v1/health
${bank === undefined ? '' : transfers(server, addressesOf(bank) as Record<string, string>)}`;
}

function addresses(placed: PlacedExample): string {
  const [first, ...others] = Object.entries(addressesOf(placed)).map(([name, url]) => `${name} ${url}`);
  return `  ${placed.example.name}\n    ${[first, ...others].join('\n    ')}`;
}

function addressesOf({ example, firstPort }: PlacedExample): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.keys(example.services).map((name, index) => [name, `http://127.0.0.1:${firstPort + index}`]));
}

function transfers(server: string, url: Readonly<Record<string, string>>): string {
  const [a, b] = [url['bank-a'], url['bank-b']];
  return `
  A transfer of 1.00 from Ann to Bob. In Go, with DTM's own client:

    saga := dtmcli.NewSaga("${server}/api/dtmsvr", dtmcli.MustGenGid("${server}/api/dtmsvr")).
      Add("${a}/debit", "${a}/refund", map[string]any{"account": "ann", "cents": 100}).
      Add("${b}/credit", "", map[string]any{"account": "bob", "cents": 100})
    err := saga.Submit()

  In TypeScript:

    const amends = new AmendsClient({ server: '${server}' });
    const { outcome } = await amends
      .saga()
      .step({ action: '${a}/debit', compensate: '${a}/refund', payload: { account: 'ann', cents: 100 } })
      .step({ action: '${b}/credit', payload: { account: 'bob', cents: 100 }, kind: 'pivot' })
      .submit({ waitMs: 10_000 });

  Afterwards: curl -s ${a}/accounts; curl -s ${b}/accounts
`;
}
