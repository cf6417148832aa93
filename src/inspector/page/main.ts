/// <reference lib="dom" />
/**
 * The page of the inspector.
 *
 * @module
 */
import { h, render } from "preact";
import { App } from "./app.ts";
import { guardDrafts } from "./model/drafts.ts";
import { followKinds } from "./model/kinds.ts";
import { connect } from "./model/live.ts";
import { followTheme } from "./model/preferences.ts";
import { followRate } from "./model/rate.ts";
import { followReach } from "./model/reach.ts";
import { followUrl } from "./model/route.ts";
import { followSession } from "./model/session.ts";
import { followKeyboard } from "./parts/shortcuts.ts";

followTheme();
followUrl();
followKeyboard();
followRate();
guardDrafts();
connect();
followSession();
followKinds();
followReach();

const root = document.getElementById("app")!;
root.replaceChildren();
render(h(App, {}), root);
