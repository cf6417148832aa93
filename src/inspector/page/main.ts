/// <reference lib="dom" />
/**
 * The page of the inspector.
 *
 * @module
 */
import { h, render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { html } from "htm/preact";
import type { KindsAnswer, Session } from "../api.ts";

async function read<T>(path: string): Promise<T> {
  const response = await fetch(path);
  return await response.json();
}

function App() {
  const [session, setSession] = useState<Session>();
  const [kinds, setKinds] = useState<KindsAnswer>();
  useEffect(() => {
    read<Session>("api/session").then(setSession);
    read<KindsAnswer>("api/kinds").then(setKinds);
  }, []);
  return html`
    <h1>${session?.location}</h1>
    <ul>
      ${kinds?.kinds.map(({ kind, count }) => html`<li>${kind}: ${count}</li>`)}
    </ul>
  `;
}

render(h(App, {}), document.getElementById("app")!);
