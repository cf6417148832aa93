/// <reference lib="dom" />
/**
 * The questions before an entry is deleted, or an old value is restored.
 *
 * @module
 */
import { html } from "htm/preact";
import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type {
  ApiError,
  DeleteRequest,
  EntryAnswer,
  RestoreRequest,
  ShownValue,
  WriteAnswer,
} from "../../api.ts";
import { ask, errorOf, read } from "../model/client.ts";
import { entryRoute, go } from "../model/route.ts";
import { Dialog } from "../parts/dialog.ts";
import { Differences } from "../parts/differences.ts";
import { say } from "../parts/notice.ts";
import { Problem } from "../parts/problem.ts";
import { formatNumber } from "../text/format.ts";

/** Asks, then deletes the entry if it is unchanged since the user saw it. */
export function DeleteDialog({ entry, onClose, onChanged }: {
  entry: EntryAnswer;
  onClose: () => void;
  /** The entry has another revision: read it again. */
  onChanged: () => void;
}): VNode {
  const [error, setError] = useState<ApiError>();
  const [isBusy, setBusy] = useState(false);
  const { kind, key, revision } = entry;
  const isChanged = error?.code === "VERSION_CONFLICT";
  const run = async () => {
    setBusy(true);
    setError(undefined);
    const request: DeleteRequest = { kind, key, ifRevision: revision };
    try {
      await ask<WriteAnswer>("api/delete", request);
      say(`Deleted ${key}. Its history can bring it back.`);
      onClose();
    } catch (thrown) {
      setError(errorOf(thrown));
      onChanged();
    } finally {
      setBusy(false);
    }
  };
  return html`
    <${Dialog} title="Delete this entry?" onClose=${onClose}>
      <p><code>${key}</code>${` of the kind ${kind}, revision ${
        formatNumber(revision)
      }.`}</p>
      ${error && html`
        <${Problem} message=${isChanged
          ? "The entry has changed meanwhile, so it was not deleted. Close this question, look at the new value, and delete again if you still want to."
          : error.message} />
      `}
      <div class="actions">
        <button type="button" class="button button-danger" disabled=${isBusy}
          onClick=${run}>Delete</button>
        <button type="button" class="button" autofocus
          onClick=${onClose}>Cancel</button>
      </div>
    <//>
  ` as VNode;
}

/** The present entry in the store. `entry` is absent if there is none. */
interface Present {
  readonly entry?: EntryAnswer;
}

/** Shows the changes, then writes a value of the past. */
export function RestoreDialog({ kind, name, at, value, onClose }: {
  kind: string;
  name: string;
  /** A revision at which the entry had the value. */
  at: number;
  value: ShownValue;
  onClose: () => void;
}): VNode {
  const [present, setPresent] = useState<Present>();
  const [error, setError] = useState<ApiError>();
  const [isBusy, setBusy] = useState(false);
  const load = async () => {
    const language = value.state === "text" ? value.language : undefined;
    const query = { kind, key: name, language };
    try {
      setPresent({ entry: await read<EntryAnswer>("api/entry", query) });
    } catch (thrown) {
      const error = errorOf(thrown);
      if (error.code === "NOT_FOUND") setPresent({});
      else setError(error);
    }
  };
  useEffect(() => void load(), []);
  const run = async () => {
    setBusy(true);
    setError(undefined);
    const ifRevision = present?.entry?.revision ?? 0;
    const request: RestoreRequest = { kind, key: name, at, ifRevision };
    try {
      const { status } = await ask<WriteAnswer>("api/restore", request);
      say(
        status === "unchanged"
          ? "The entry has this value already. Nothing was written."
          : "The value is back.",
      );
      onClose();
      go({ ...entryRoute(kind, name), at: undefined });
    } catch (thrown) {
      setError(errorOf(thrown));
      await load();
    } finally {
      setBusy(false);
    }
  };
  const isChanged = error?.code === "VERSION_CONFLICT";
  return html`
    <${Dialog} title="Bring this value back?" onClose=${onClose}>
      <p><code>${name}</code>${` of the kind ${kind}. It will have no expiry.`}</p>
      ${error && html`
        <${Problem} message=${isChanged
          ? "The entry has changed meanwhile, so nothing was written. Below are the differences from its newest value."
          : error.message} />
      `}
      ${present && html`
        <h3 class="subtitle">${present.entry
          ? "From now to then"
          : "The entry will be created again"}</h3>
        <${Differences} before=${present.entry?.value} after=${value}
          label="What changes" />
      `}
      <div class="actions">
        <button type="button" class="button button-main"
          disabled=${isBusy || present === undefined}
          onClick=${run}>Bring it back</button>
        <button type="button" class="button" autofocus
          onClick=${onClose}>Cancel</button>
      </div>
    <//>
  ` as VNode;
}
