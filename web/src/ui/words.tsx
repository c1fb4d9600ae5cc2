// Words to read aloud, large enough to be read from a screen that is held up.
import { useEffect, useState } from "preact/hooks";
import type { Session, WordList } from "../meeting/model.ts";
import type { Tag } from "../strings/index.ts";
import { LANGUAGES } from "../strings/index.ts";
import { useLook, useSay } from "./hooks.ts";
import { Dialog, Select } from "./parts.tsx";

const LISTS: readonly WordList[] = ["en", "it", "zh-Hans", "zh-Hant"];

/** The page's language where it has a list of words, else English. */
export function listFor(tag: Tag): WordList {
  return LISTS.find((list) => list === tag) ?? "en";
}

export function Words({ words, list }: { words: readonly string[]; list: WordList }) {
  return (
    <ol class="words" lang={list} dir="ltr">
      {words.map((word, at) => <li key={at}>{word}</li>)}
    </ol>
  );
}

export function WordListSelect({ value, set }: { value: WordList; set: (list: WordList) => void }) {
  const say = useSay();
  const options = LISTS.map((list) => ({
    value: list,
    label: LANGUAGES.find(({ tag }) => tag === list)?.name ?? list,
    lang: list,
  }));
  return <Select label={say("compareLanguage")} value={value} options={options} set={set} />;
}

export function WordsDialog({ session, close }: { session: Session; close: () => void }) {
  const { say, tag } = useLook();
  const [list, setList] = useState<WordList>(listFor(tag));
  const [words, setWords] = useState<readonly string[] | null>(null);
  useEffect(() => {
    let wanted = true;
    void session.words(list).then((found) => wanted && setWords(found));
    return () => {
      wanted = false;
    };
  }, [session, list]);
  return (
    <Dialog title={say("words")} close={close} class="words-dialog">
      <div role="status">
        {words?.length === 0 && <p class="wrong">{say("noCoreTitle")}</p>}
        {words?.length === 0 && <p>{say("noCoreHelp")}</p>}
        {!words && <p class="quiet">{say("compareWait")}</p>}
      </div>
      <Words words={words ?? []} list={list} />
      <p>{say("wordsHelp")}</p>
      <p class="quiet">{say("wordsProof")}</p>
      <WordListSelect value={list} set={setList} />
    </Dialog>
  );
}
