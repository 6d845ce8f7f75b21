/** What `npm start` says when the stories are told: where everything is, and what to try next. */
import type { PlacedExample, StartOptions } from './options.ts';

const usualPort = 36_789;

/** The text, made for the addresses of this run. */
export function invitation({ port, examples, dataFolder }: StartOptions): string {
  const server = `http://127.0.0.1:${port}`;
  const option = port === usualPort ? '' : ` --server ${server}`;
  const bank = examples.find(({ example }) => example.name === 'bank-transfer');
  return `
Everything stays up until Ctrl-C.

  coordinator    ${server}/api/v1    for DTM's clients: ${server}/api/dtmsvr
${examples.map(addresses).join('\n')}
  data           ${dataFolder} (logs in logs/, databases of the examples made anew at each start)

To try next, in another terminal

  The last transactions, and what happened to one of them:

    npx amends tx list --limit 3${option}
    npx amends tx show GID${option}
    curl -s '${server}/api/v1/transactions?limit=3'
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
  A transfer of 1.00 from Ann to Bob, in TypeScript; save it in this folder as try.ts and run it with npx node try.ts:

    import { AmendsClient } from '@amends/client';

    const amends = new AmendsClient({ server: '${server}' });
    const { gid, outcome } = await amends
      .saga()
      .step({ action: '${a}/debit', compensate: '${a}/refund', payload: { account: 'ann', cents: 100 } })
      .step({ action: '${b}/credit', payload: { account: 'bob', cents: 100 }, kind: 'pivot' })
      .submit({ waitMs: 10_000 });
    console.log(gid, outcome);
    await amends.close();

  The same in Go with DTM's own client, github.com/dtm-labs/client v1.18.7, which knows no pivot; save it as main.go:

    package main

    import (
      "fmt"

      "github.com/dtm-labs/client/dtmcli"
    )

    func main() {
      amends := "${server}/api/dtmsvr"
      gid := dtmcli.MustGenGid(amends)
      saga := dtmcli.NewSaga(amends, gid).
        Add("${a}/debit", "${a}/refund", map[string]any{"account": "ann", "cents": 100}).
        Add("${b}/credit", "", map[string]any{"account": "bob", "cents": 100})
      saga.WaitResult = true
      fmt.Println(gid, saga.Submit())
    }

  Afterwards: curl -s ${a}/accounts; curl -s ${b}/accounts
`;
}
