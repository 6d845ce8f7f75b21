/** What `npm start` says when the stories are told: where everything is, and what to try next. */
import { addressFile } from './addresses.ts';
import type { StartOptions } from './options.ts';
import type { Staged } from './system.ts';

const usualPort = 36_789;

/** The text, made for the addresses of this run. */
export function invitation({ port, dataFolder }: StartOptions, staged: readonly Staged[]): string {
  const server = `http://127.0.0.1:${port}`;
  const option = port === usualPort ? '' : ` --server ${server}`;
  const bank = staged.find(({ example }) => example.name === 'bank-transfer');
  return `
Everything stays up until Ctrl-C.

  coordinator    ${server}/api/v1    for DTM's clients: ${server}/api/dtmsvr
${staged.map(addresses).join('\n')}
  data           ${dataFolder} (logs in logs/, databases of the examples made anew at each start)

To try next, in another terminal

  The last transactions, and what happened to one of them; in this folder:

    npx amends tx list --limit 3${option}
    npx amends tx show GID${option}
    curl -s '${server}/api/v1/transactions?limit=3'
${bank === undefined ? '' : transfers(server, bank.stage.url, addressFile(dataFolder, bank.example))}`;
}

function addresses({ example, stage }: Staged): string {
  return `  ${example.name}\n${Object.entries(stage.url)
    .map(([name, url]) => `    ${name} ${url}`)
    .join('\n')}`;
}

function transfers(server: string, url: Readonly<Record<string, string>>, file: string): string {
  const [a, b] = [url['bank-a'], url['bank-b']];
  return `
  For what README.md tells next: where the banks listen, as BANK_A and BANK_B

    . '${file}'

  A transfer of 1.00 from Ann to Bob, in TypeScript; save it in this folder as try.ts and run it with npx node try.ts:

    import { AmendsClient } from '@amends/client';

    const amends = new AmendsClient({ server: '${server}' });
    const { gid, outcome, reason } = await amends
      .saga()
      .step({ action: '${a}/debit', compensate: '${a}/refund', payload: { account: 'ann', cents: 100 } })
      .step({ action: '${b}/credit', payload: { account: 'bob', cents: 100 }, kind: 'pivot' })
      .submit({ waitMs: 10_000 });
    console.log(gid, outcome, reason);
    await amends.close();

  The same in Go with DTM's own client, which knows no pivot; save it as main.go in an empty folder, and run it there with
  go mod init try && go get github.com/dtm-labs/client/dtmcli@v1.18.7 && go run .

    package main

    import (
      "fmt"

      "github.com/dtm-labs/client/dtmcli"
    )

    func main() {
      amends := "${server}/api/dtmsvr"
      saga := dtmcli.NewSaga(amends, dtmcli.MustGenGid(amends)).
        Add("${a}/debit", "${a}/refund", map[string]any{"account": "ann", "cents": 100}).
        Add("${b}/credit", "", map[string]any{"account": "bob", "cents": 100})
      saga.WaitResult = true
      if err := saga.Submit(); err != nil {
        fmt.Println(saga.Gid, "is not done:", err)
        return
      }
      fmt.Println(saga.Gid, "is done")
    }

  Afterwards: curl -s ${a}/accounts; curl -s ${b}/accounts
`;
}
