/**
 * The page's own files, as texts, by their names in the browser. `index.html`
 * is the page; it names the others under `assets/`. Scripts import each other
 * by relative paths.
 *
 * @module
 */
import app from "./app.ts" with { type: "text" };
import early from "./early.ts" with { type: "text" };
import entryConflict from "./entry/conflict.ts" with { type: "text" };
import entryCreator from "./entry/creator.ts" with { type: "text" };
import entryDialogs from "./entry/dialogs.ts" with { type: "text" };
import entryEditor from "./entry/editor.ts" with { type: "text" };
import entryExpiryField from "./entry/expiry_field.ts" with { type: "text" };
import entryHistory from "./entry/history.ts" with { type: "text" };
import entryPanel from "./entry/panel.ts" with { type: "text" };
import entryValueField from "./entry/value_field.ts" with { type: "text" };
import entryValueTab from "./entry/value_tab.ts" with { type: "text" };
import icon from "./icon.svg" with { type: "text" };
import html from "./index.html" with { type: "text" };
import main from "./main.ts" with { type: "text" };
import modelCell from "./model/cell.ts" with { type: "text" };
import modelClient from "./model/client.ts" with { type: "text" };
import modelCounted from "./model/counted.ts" with { type: "text" };
import modelDrafts from "./model/drafts.ts" with { type: "text" };
import modelEntries from "./model/entries.ts" with { type: "text" };
import modelEntry from "./model/entry.ts" with { type: "text" };
import modelFeed from "./model/feed.ts" with { type: "text" };
import modelKeyHistory from "./model/key_history.ts" with { type: "text" };
import modelKeysOrder from "./model/keys_order.ts" with { type: "text" };
import modelKinds from "./model/kinds.ts" with { type: "text" };
import modelLive from "./model/live.ts" with { type: "text" };
import modelPreferences from "./model/preferences.ts" with { type: "text" };
import modelRate from "./model/rate.ts" with { type: "text" };
import modelReach from "./model/reach.ts" with { type: "text" };
import modelRoute from "./model/route.ts" with { type: "text" };
import modelSession from "./model/session.ts" with { type: "text" };
import partsDialog from "./parts/dialog.ts" with { type: "text" };
import partsDifferences from "./parts/differences.ts" with { type: "text" };
import partsHelp from "./parts/help.ts" with { type: "text" };
import partsNotice from "./parts/notice.ts" with { type: "text" };
import partsProblem from "./parts/problem.ts" with { type: "text" };
import partsShortcuts from "./parts/shortcuts.ts" with { type: "text" };
import partsShownValue from "./parts/shown_value.ts" with { type: "text" };
import partsTextFilter from "./parts/text_filter.ts" with { type: "text" };
import styleBase from "./style/base.css" with { type: "text" };
import styleLayout from "./style/layout.css" with { type: "text" };
import stylePanel from "./style/panel.css" with { type: "text" };
import styleParts from "./style/parts.css" with { type: "text" };
import styleTables from "./style/tables.css" with { type: "text" };
import styleValues from "./style/values.css" with { type: "text" };
import textFormat from "./text/format.ts" with { type: "text" };
import textLineDiff from "./text/line_diff.ts" with { type: "text" };
import textPlaceOfPath from "./text/place_of_path.ts" with { type: "text" };
import textTokens from "./text/tokens.ts" with { type: "text" };
import viewsChangesView from "./views/changes_view.ts" with { type: "text" };
import viewsEntriesView from "./views/entries_view.ts" with { type: "text" };
import viewsEntryTable from "./views/entry_table.ts" with { type: "text" };
import viewsHeader from "./views/header.ts" with { type: "text" };
import viewsHealthView from "./views/health_view.ts" with { type: "text" };
import viewsRateChart from "./views/rate_chart.ts" with { type: "text" };
import viewsSidebar from "./views/sidebar.ts" with { type: "text" };
import viewsTimeBar from "./views/time_bar.ts" with { type: "text" };

/** Every file of the page. */
export const PAGE_FILES: Readonly<Record<string, string>> = {
  "app.ts": app,
  "early.ts": early,
  "entry/conflict.ts": entryConflict,
  "entry/creator.ts": entryCreator,
  "entry/dialogs.ts": entryDialogs,
  "entry/editor.ts": entryEditor,
  "entry/expiry_field.ts": entryExpiryField,
  "entry/history.ts": entryHistory,
  "entry/panel.ts": entryPanel,
  "entry/value_field.ts": entryValueField,
  "entry/value_tab.ts": entryValueTab,
  "icon.svg": icon,
  "index.html": html,
  "main.ts": main,
  "model/cell.ts": modelCell,
  "model/client.ts": modelClient,
  "model/counted.ts": modelCounted,
  "model/drafts.ts": modelDrafts,
  "model/entries.ts": modelEntries,
  "model/entry.ts": modelEntry,
  "model/feed.ts": modelFeed,
  "model/key_history.ts": modelKeyHistory,
  "model/keys_order.ts": modelKeysOrder,
  "model/kinds.ts": modelKinds,
  "model/live.ts": modelLive,
  "model/preferences.ts": modelPreferences,
  "model/rate.ts": modelRate,
  "model/reach.ts": modelReach,
  "model/route.ts": modelRoute,
  "model/session.ts": modelSession,
  "parts/dialog.ts": partsDialog,
  "parts/differences.ts": partsDifferences,
  "parts/help.ts": partsHelp,
  "parts/notice.ts": partsNotice,
  "parts/problem.ts": partsProblem,
  "parts/shortcuts.ts": partsShortcuts,
  "parts/shown_value.ts": partsShownValue,
  "parts/text_filter.ts": partsTextFilter,
  "style/base.css": styleBase,
  "style/layout.css": styleLayout,
  "style/panel.css": stylePanel,
  "style/parts.css": styleParts,
  "style/tables.css": styleTables,
  "style/values.css": styleValues,
  "text/format.ts": textFormat,
  "text/line_diff.ts": textLineDiff,
  "text/place_of_path.ts": textPlaceOfPath,
  "text/tokens.ts": textTokens,
  "views/changes_view.ts": viewsChangesView,
  "views/entries_view.ts": viewsEntriesView,
  "views/entry_table.ts": viewsEntryTable,
  "views/header.ts": viewsHeader,
  "views/health_view.ts": viewsHealthView,
  "views/rate_chart.ts": viewsRateChart,
  "views/sidebar.ts": viewsSidebar,
  "views/time_bar.ts": viewsTimeBar,
};
