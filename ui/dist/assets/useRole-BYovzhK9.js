import{d as e,m as r}from"./index-BwsOkcp1.js";function a(){return e(r).data?.role!=="viewer"}export{a as u};
