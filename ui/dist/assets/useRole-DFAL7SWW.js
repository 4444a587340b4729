import{d as e,m as r}from"./index-B6jHz4F8.js";function a(){return e(r).data?.role!=="viewer"}export{a as u};
