import { createContext } from "react";
import { SeriesFeed } from "./feed";

/** The series of the page. */
export const FeedContext = createContext<SeriesFeed>(new SeriesFeed());
