import{U as a}from"./index-BwsOkcp1.js";const e=[["path",{d:"M7 4v16l13 -8l-13 -8",key:"svg-0"}]],l=a("outline","player-play","PlayerPlay",e);export{l as I};
